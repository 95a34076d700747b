"""The WSGI entry point of the web server."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lora_pipeline.settings")
os.environ["LORA_PIPELINE_DATABASE_ROLE"] = "web"

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Reads everything as UTF-8, whatever charset the Content-Type claims.

    Django decodes the query string with that charset before any middleware runs, and a
    charset such as `zlib` would cause a bare 500.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        given = meta.get("CONTENT_TYPE", "")
        self.content_type, self.content_params = parse_header_parameters(given)


class Handler(WSGIHandler):
    """Django's handler, with our request."""

    request_class = Utf8Request


django.setup(set_prefix=False)
application = Handler()

"""The WSGI entry point of the web server."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lora_pipeline.settings")
os.environ["LORA_PIPELINE_DATABASE_ROLE"] = "web"

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from lora_pipeline.web.addresses import say_what_the_proxy_must_send


class Utf8Request(WSGIRequest):
    """Reads everything as UTF-8, whatever charset the Content-Type claims.

    Django decodes the query string with that charset before any middleware runs, and a
    charset such as `zlib` would cause a bare 500.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        given = meta.get("CONTENT_TYPE", "")
        self.content_type, self.content_params = parse_header_parameters(given)


class Handler(WSGIHandler):
    """Django's handler, with our request, below the path of the public URL.

    A proxy passes that path on; trainers, who ask directly, leave it out.
    """

    request_class = Utf8Request

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path, sub_path = environ.get("PATH_INFO", ""), settings.SUB_PATH
        if sub_path and f"{path}/".startswith(f"{sub_path}/"):
            environ["PATH_INFO"] = path[len(sub_path) :] or "/"
        return super().__call__(environ, start_response)


django.setup(set_prefix=False)
say_what_the_proxy_must_send()
application = Handler()

"""What the web server's own request does that Django's does not."""

import os

import pytest
from django.test import RequestFactory


@pytest.mark.parametrize("charset", ["zlib", "hex", "rot13", "undefined", "utf-16"])
def test_a_claimed_charset_does_not_decide_how_a_query_is_read(charset, monkeypatch):
    role = os.environ["LORA_PIPELINE_DATABASE_ROLE"]
    monkeypatch.setenv("LORA_PIPELINE_DATABASE_ROLE", role)
    from lora_pipeline.wsgi import Handler

    environ = RequestFactory().get("/api/jobs?search=%C3%A9").environ
    environ["CONTENT_TYPE"] = f"text/plain; charset={charset}"
    request = Handler.request_class(environ)
    assert request.GET["search"] == "é"
    assert request.content_params == {"charset": charset}

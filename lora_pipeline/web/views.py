"""API reference and error pages."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from lora_pipeline.api.envelope import is_api, server_error
from lora_pipeline.logs.request_ids import current_request_id


@login_required
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API reference with Swagger UI, served without a CDN."""
    return render(request, "api_docs.html", {"section": "api-docs"})


def our_fault(request: HttpRequest) -> HttpResponse:
    """A 500 from outside a view: middleware or the database."""
    if is_api(request):
        return server_error(request)
    page = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(page, status=500)

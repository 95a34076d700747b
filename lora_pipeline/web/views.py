"""API reference and error pages."""

import sys

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from lora_pipeline.api.envelope import is_api, server_error
from lora_pipeline.logs.request_ids import current_request_id
from lora_pipeline.web import failures


@csrf_exempt
@login_required
@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API reference with Swagger UI, served without a CDN."""
    return render(request, "api_docs.html", {"section": "api-docs"})


def our_fault(request: HttpRequest) -> HttpResponse:
    """A 500 from outside a view: middleware or the database.

    Called while the exception is handled, so that its kind can be told.
    """
    if (known := failures.known(sys.exc_info()[1])) is not None:
        return failures.answer(request, known)
    if is_api(request):
        return server_error(request)
    page = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(page, status=500)

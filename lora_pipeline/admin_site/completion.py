"""The admin's autocompletion, for the fields that its forms complete and no other.

Django answers for every relation of every model, and with 500 for one that is seen
from its other end.
"""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def complete(request: HttpRequest) -> HttpResponseBase:
    """Rows for a field whose admin names it in `autocomplete_fields`; else 403."""
    asked = [request.GET.get(name, "") for name in ("app_label", "model_name")]
    field = request.GET.get("field_name", "")
    offered = [
        field in modeladmin.get_autocomplete_fields(request)
        for model, modeladmin in admin.site._registry.items()
        if [model._meta.app_label, model._meta.model_name] == asked
    ]
    if not any(offered):
        raise PermissionDenied
    return admin.site.autocomplete_view(request)

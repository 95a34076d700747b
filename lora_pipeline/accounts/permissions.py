"""API key scopes: read, or read and write."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from lora_pipeline.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView


class KeyScope(BasePermission):
    """Keys with the scope `read` can only use operations without side effects.

    A view lists its read-only POST actions in `read_actions`.
    """

    message = (
        "This API key is read-only. Create one with the scope 'Read and write' on the "
        "API keys page, or with 'manage.py create_api_key USERNAME --scope write'."
    )
    code = "key_scope"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        key = request.auth
        if not isinstance(key, ApiKey) or key.may_write:
            return True
        reading = getattr(view, "action", None) in getattr(view, "read_actions", ())
        return request.method in SAFE_METHODS or reading

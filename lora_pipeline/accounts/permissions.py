"""What an API key may do: its scope is read, or read and write."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from lora_pipeline.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView


class KeyScope(BasePermission):
    """Keys with the scope `read` reach what changes nothing.

    A view names its POST actions that write nothing in `read_actions`.
    """

    message = (
        "This key may only read. Make one with the scope 'read and write' on the page "
        "API keys, or with 'manage.py create_api_key USERNAME --scope write'."
    )
    code = "key_scope"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        key = request.auth
        if not isinstance(key, ApiKey) or key.may_write:
            return True
        reading = getattr(view, "action", None) in getattr(view, "read_actions", ())
        return request.method in SAFE_METHODS or reading

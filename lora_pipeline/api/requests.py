"""An API request, as views that need a caller get it."""

from rest_framework.request import Request

from lora_pipeline.models import User


class ApiRequest(Request):
    """Somebody asks: `IsAuthenticated` let nobody else through. Only a type."""

    user: User

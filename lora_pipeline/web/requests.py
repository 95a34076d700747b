"""A page's request, as views behind the sign-in get it."""

from django.http import HttpRequest

from lora_pipeline.models import User


class UserRequest(HttpRequest):
    """Somebody asks: `SignInRequired` let nobody else through. Only a type."""

    user: User

"""API keys: `Authorization: Bearer lp_…`."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from lora_pipeline.models import ApiKey, ApiKeyQuerySet, User
from lora_pipeline.postgres import row_security
from lora_pipeline.postgres.compiled import Compiled
from lora_pipeline.tokens import hash_secret

EXPIRED = "This API key expired on {:%Y-%m-%d}. Create a new one on the API keys page."
USE_NOTED_EVERY = timedelta(minutes=1)


def bearer_token(request: Request | HttpRequest) -> str | None:
    """The token of an `Authorization: Bearer` header, or None."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _usable(key_hash: str) -> ApiKeyQuerySet:
    own = ApiKey.objects.usable().filter(key_hash=key_hash).select_related("user")
    return own.annotate(**row_security.from_then_on("user_id")).order_by()


KEY = Compiled(_usable, key_hash=str)


class ApiKeyAuthentication(BaseAuthentication):
    """Resolves a key to its owner, with a query that also makes their rows visible."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        if (token := bearer_token(request)) is None:
            return None
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            row_security.reset()  # the key alone identifies the caller
        if (key := KEY.one(key_hash=hash_secret(token))) is None:
            raise AuthenticationFailed(
                "This API key is unknown or revoked. Create one on the API keys page."
            )
        if key.is_expired:
            row_security.reset()
            raise AuthenticationFailed(EXPIRED.format(key.expires_at))
        _note_use(key)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="LoRA Pipeline"'


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of API keys in the OpenAPI schema."""

    target_class = "lora_pipeline.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}

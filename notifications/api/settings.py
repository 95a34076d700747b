"""`/api/notification-preferences`, `/api/webhooks`, `/api/deliveries`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import NOTHING_OR_QUOTA, Fault
from lora_pipeline.api.pagination import paginate
from notifications.messages import CHOSEN
from notifications.models import Delivery, Webhook
from notifications.preferences import choices_of, choose
from notifications.sending.targets import LONGEST_URL
from notifications.webhooks import add_webhook, remove_webhook, send_test

KNOWN = Fault(
    when="There is one with this URL already, or there are as many as there can be.",
    error="You already have a webhook with this URL.",
    code="known_webhook",
    component="QuotaError",
    shape=NOTHING_OR_QUOTA,
)


class ChoiceSerializer(serializers.Serializer[Any]):
    """Where one kind of notice goes besides the console."""

    kind = serializers.ChoiceField(CHOSEN)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    by_email = serializers.BooleanField()
    by_webhook = serializers.BooleanField()


class PreferencesSerializer(serializers.Serializer[Any]):
    """The choices; kinds that are left out stay as they are."""

    preferences = ChoiceSerializer(many=True)


class PreferencesView(APIView):
    """What leaves the console, by kind."""

    @extend_schema(responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        """Where each kind of notice goes."""
        return success(_choices(request))

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer)
    def put(self, request: Request) -> Response:
        """Choose for some kinds, or for all."""
        body = PreferencesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        chosen = body.validated_data["preferences"]
        choices = {c["kind"]: (c["by_email"], c["by_webhook"]) for c in chosen}
        choose(user=request.user, choices=choices)  # type: ignore[arg-type]
        return success(_choices(request))


def _choices(request: Request) -> dict[str, Any]:
    found = choices_of(request.user)  # type: ignore[arg-type]
    return {"preferences": ChoiceSerializer(found, many=True).data}


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """An address that notices are posted to."""

    class Meta:
        model = Webhook
        fields = ["id", "url", "created_at"]


class NewWebhookSerializer(WebhookSerializer):
    """A webhook with the secret that signs its notices, told this once."""

    class Meta(WebhookSerializer.Meta):
        fields = ["id", "url", "secret", "created_at"]


class WebhookRequest(serializers.Serializer[Any]):
    """A new webhook."""

    url = serializers.URLField(max_length=LONGEST_URL)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One notice on its way, and what became of it."""

    type = serializers.CharField(source="notification.type")

    class Meta:
        model = Delivery
        exclude = ["webhook"]


class WebhookViewSet(GenericViewSet[Webhook]):
    """Webhooks of the caller."""

    serializer_class = WebhookSerializer
    queryset = Webhook.objects.none()
    lookup_value_converter = "uuid"

    def list(self, request: Request) -> Response:
        """Oldest first."""
        own = Webhook.objects.visible_to(request.user)  # type: ignore[arg-type]
        rows, block = paginate(request, own)
        found = WebhookSerializer(rows, many=True).data
        return success({"webhooks": found, "pagination": block})

    @extend_schema(
        request=WebhookRequest, responses={201: NewWebhookSerializer, 409: KNOWN}
    )
    def create(self, request: Request) -> Response:
        """Post notices to one more address."""
        body = WebhookRequest(data=request.data)
        body.is_valid(raise_exception=True)
        webhook = add_webhook(owner=request.user, url=body.validated_data["url"])  # type: ignore[arg-type]
        return success(NewWebhookSerializer(webhook).data, status_code=201)

    def destroy(self, request: Request, pk: Any) -> Response:
        """Post nothing more there."""
        remove_webhook(webhook=self._own(request, pk))
        return success({"id": str(pk), "deleted": True})

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: Any) -> Response:
        """Send a test notice; the answer is the delivery to follow."""
        delivery = send_test(webhook=self._own(request, pk))
        return success(DeliverySerializer(delivery).data, status_code=202)

    def _own(self, request: Request, pk: Any) -> Webhook:
        own = Webhook.objects.visible_to(request.user)  # type: ignore[arg-type]
        if (webhook := own.find(pk)) is None:
            raise NotFound("There is no such webhook among yours.")
        return webhook


class DeliveryViewSet(GenericViewSet[Delivery]):
    """What was sent out for the caller."""

    serializer_class = DeliverySerializer
    queryset = Delivery.objects.none()
    lookup_value_converter = "uuid"

    def list(self, request: Request) -> Response:
        """Newest first."""
        own = Delivery.objects.visible_to(request.user)  # type: ignore[arg-type]
        rows, block = paginate(request, own)
        found = DeliverySerializer(rows, many=True).data
        return success({"deliveries": found, "pagination": block})

    def retrieve(self, request: Request, pk: Any) -> Response:
        """One delivery."""
        own = Delivery.objects.visible_to(request.user)  # type: ignore[arg-type]
        if (delivery := own.find(pk)) is None:
            raise NotFound("There is no such delivery among yours.")
        return success(DeliverySerializer(delivery).data)

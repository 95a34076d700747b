"""`/api/notification-preferences`, `/api/webhooks`, `/api/deliveries`."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.views import APIView

from lora_pipeline.api.envelope import success
from lora_pipeline.api.error_docs import NOTHING_OR_QUOTA, Fault
from lora_pipeline.api.fields import StrictSerializer
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.rows import RowSerializer
from lora_pipeline.api.viewsets import OwnViewSet
from notifications.access import own_delivery, own_webhook
from notifications.messages import CHOSEN
from notifications.models import Delivery, DeliveryQuerySet, Webhook, WebhookQuerySet
from notifications.preferences import choices_of, choose
from notifications.sending.targets import LONGEST_URL
from notifications.webhooks import (
    KNOWN_WEBHOOK,
    RESTING_WEBHOOK,
    add_webhook,
    remove_webhook,
    send_test,
    wake_webhook,
)

KNOWN = Fault.of(
    KNOWN_WEBHOOK,
    when="A webhook with this URL exists, or the limit is reached.",
    component="QuotaError",
    shape=NOTHING_OR_QUOTA,
)

RESTING = Fault.of(RESTING_WEBHOOK)


class ChoiceSerializer(StrictSerializer):
    """Channels of one kind of notification besides the console."""

    kind = serializers.ChoiceField(CHOSEN)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    by_email = serializers.BooleanField()
    by_webhook = serializers.BooleanField()


class PreferencesSerializer(StrictSerializer):
    """Channels to set; omitted kinds stay unchanged."""

    preferences = ChoiceSerializer(many=True)


class PreferencesView(APIView):
    """Notification preferences."""

    @extend_schema(responses=PreferencesSerializer)
    def get(self, request: ApiRequest) -> Response:
        """Get the channels of every kind of notification."""
        return success(_choices(request))

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer)
    def put(self, request: ApiRequest) -> Response:
        """Set the channels of some or all kinds."""
        body = PreferencesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        chosen = body.validated_data["preferences"]
        choices = {c["kind"]: (c["by_email"], c["by_webhook"]) for c in chosen}
        choose(user=request.user, choices=choices)
        return success(_choices(request))


def _choices(request: ApiRequest) -> dict[str, Any]:
    found = choices_of(request.user)
    return {"preferences": ChoiceSerializer(found, many=True).data}


class WebhookSerializer(RowSerializer[Webhook]):
    """A URL that notifications are posted to. A paused one failed repeatedly and
    receives nothing until it is resumed.
    """

    class Meta:
        model = Webhook
        fields = ["id", "url", "created_at", "resting_since", "rest_reason"]


class NewWebhookSerializer(WebhookSerializer):
    """A webhook with its signing secret, which is shown only once."""

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookRequest(StrictSerializer):
    """A new webhook."""

    url = serializers.URLField(max_length=LONGEST_URL)


class DeliverySerializer(RowSerializer[Delivery]):
    """One delivery of a notification and its outcome."""

    type = serializers.CharField(source="notification.type")

    class Meta:
        model = Delivery
        exclude = ["webhook"]


class WebhookViewSet(OwnViewSet[Webhook]):
    """The caller's webhooks."""

    serializer_class = WebhookSerializer
    queryset = Webhook.objects.none()
    list_key = "webhooks"
    list_words = "Oldest first"

    def own(self) -> WebhookQuerySet:
        return Webhook.objects.visible_to(self.request.user)

    @extend_schema(
        request=WebhookRequest, responses={201: NewWebhookSerializer, 409: KNOWN}
    )
    def create(self, request: ApiRequest) -> Response:
        """Add a webhook."""
        body = WebhookRequest(data=request.data)
        body.is_valid(raise_exception=True)
        webhook = add_webhook(owner=request.user, url=body.validated_data["url"])
        return success(NewWebhookSerializer(webhook).data, status_code=201)

    def destroy(self, request: ApiRequest, pk: UUID) -> Response:
        """Remove a webhook."""
        remove_webhook(webhook=own_webhook(request.user, pk))
        return success({"id": str(pk), "deleted": True})

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def wake(self, request: ApiRequest, pk: UUID) -> Response:
        """Resume a paused webhook."""
        webhook = own_webhook(request.user, pk)
        wake_webhook(webhook=webhook)
        return success(WebhookSerializer(webhook).data)

    @extend_schema(request=None, responses={202: DeliverySerializer, 409: RESTING})
    @action(detail=True, methods=["post"])
    def test(self, request: ApiRequest, pk: UUID) -> Response:
        """Send a test notification; returns the delivery to follow."""
        delivery = send_test(webhook=own_webhook(request.user, pk))
        return success(DeliverySerializer(delivery).data, status_code=202)


class DeliveryViewSet(OwnViewSet[Delivery]):
    """Deliveries of the caller's notifications."""

    serializer_class = DeliverySerializer
    queryset = Delivery.objects.none()
    list_key = "deliveries"
    list_words = "Newest first"

    def own(self) -> DeliveryQuerySet:
        return Delivery.objects.visible_to(self.request.user)

    def retrieve(self, request: ApiRequest, pk: UUID) -> Response:
        """One delivery."""
        return success(DeliverySerializer(own_delivery(request.user, pk)).data)

"""`/api/notifications`: list, read, mark as read."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from lora_pipeline.api.envelope import success
from lora_pipeline.api.requests import ApiRequest
from lora_pipeline.api.viewsets import OwnViewSet
from notifications.access import own_notice
from notifications.api.filters import NotificationFilter
from notifications.api.serializers import AllReadSerializer, NotificationSerializer
from notifications.models import Notification, NotificationQuerySet
from notifications.services import mark_all_read, mark_read


class NotificationViewSet(OwnViewSet[Notification]):
    """The caller's notifications."""

    serializer_class = NotificationSerializer
    queryset = Notification.objects.none()
    filterset_class = NotificationFilter
    list_key = "notifications"
    list_words = "Newest first, with pages, and how many of all are unread"

    def own(self) -> NotificationQuerySet:
        return Notification.objects.visible_to(self.request.user)

    def get_paginated_response(self, data: Any) -> Response:
        answer = super().get_paginated_response(data)
        answer.data["data"]["unread_count"] = self.own().unread().count()
        return answer

    def retrieve(self, request: ApiRequest, pk: UUID) -> Response:
        """Get one notification; this does not mark it as read."""
        return success(NotificationSerializer(own_notice(request.user, pk)).data)

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: ApiRequest, pk: UUID) -> Response:
        """Mark a notification as read."""
        notice = own_notice(request.user, pk)
        mark_read(notice=notice)
        return success(NotificationSerializer(notice).data)

    @extend_schema(request=None, responses=AllReadSerializer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: ApiRequest) -> Response:
        """Mark all notifications as read; returns how many were unread."""
        marked = mark_all_read(user=request.user)
        return success({"marked_read": marked, "unread_count": 0})

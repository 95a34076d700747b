"""`/api/notifications`: list, read, mark as read."""

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from lora_pipeline.api.envelope import success
from lora_pipeline.api.pagination import paginate
from notifications.api.filters import NotificationFilter
from notifications.api.serializers import AllReadSerializer, NotificationSerializer
from notifications.models import Notification
from notifications.services import mark_all_read, mark_read

UNKNOWN_NOTICE = "Notification not found."


class NotificationViewSet(GenericViewSet[Notification]):
    """The caller's notifications."""

    serializer_class = NotificationSerializer
    queryset = Notification.objects.none()
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = NotificationFilter
    lookup_value_converter = "uuid"

    def list(self, request: Request) -> Response:
        """Newest first, paginated, with the total number of unread ones."""
        own = Notification.objects.visible_to(request.user)  # type: ignore[arg-type]
        found = NotificationFilter(request.query_params, queryset=own)
        if not found.is_valid():
            raise ValidationError(found.errors)
        rows, block = paginate(request, found.qs)
        data = NotificationSerializer(rows, many=True).data
        unread = own.unread().count()
        return success(
            {"notifications": data, "pagination": block, "unread_count": unread}
        )

    def retrieve(self, request: Request, pk: Any) -> Response:
        """Get one notification; this does not mark it as read."""
        return success(NotificationSerializer(self._own(request, pk)).data)

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: Any) -> Response:
        """Mark a notification as read."""
        notice = self._own(request, pk)
        mark_read(notice=notice)
        return success(NotificationSerializer(notice).data)

    @extend_schema(request=None, responses=AllReadSerializer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark all notifications as read; returns how many were unread."""
        marked = mark_all_read(user=request.user)  # type: ignore[arg-type]
        return success({"marked_read": marked, "unread_count": 0})

    def _own(self, request: Request, pk: Any) -> Notification:
        own = Notification.objects.visible_to(request.user)  # type: ignore[arg-type]
        if (notice := own.find(pk)) is None:
            raise NotFound(UNKNOWN_NOTICE)
        return notice

"""What every list of a user's things shares: whose rows, filters, pages."""

from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.mixins import ListModelMixin
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from lora_pipeline.api.pagination import Pages
from lora_pipeline.api.requests import ApiRequest

Row = TypeVar("Row", bound=Model)
PAGE_NAMES = {"page", "limit"}


class AskedFilters(DjangoFilterBackend):
    """The view's filters; where an address asks for none, none are built."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        if PAGE_NAMES.issuperset(request.query_params):
            return queryset
        return super().filter_queryset(request, queryset, view)


class OwnViewSet(ListModelMixin, GenericViewSet[Row], Generic[Row]):
    """A user's things of one kind.

    `list_key` names the rows in the answer, `list_words` say what is listed and how.
    """

    request: ApiRequest
    list_key: str
    list_words: str
    list_serializer_class: type[BaseSerializer[Row]] | None = None
    pagination_class = Pages
    filter_backends = [AskedFilters]
    lookup_value_converter = "uuid"

    def own(self) -> QuerySet[Row]:
        """What the caller may see of a list, in its order."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Row]:
        is_described = getattr(self, "swagger_fake_view", False)
        return super().get_queryset() if is_described else self.own()

    def get_serializer_class(self) -> type[BaseSerializer[Row]]:
        of_rows = self.list_serializer_class if self.action == "list" else None
        return of_rows or super().get_serializer_class()

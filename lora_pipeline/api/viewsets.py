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


class OwnViewSet(ListModelMixin, GenericViewSet[Row], Generic[Row]):
    """A user's things of one kind.

    `list_key` names the rows in the answer, `list_words` say what is listed and how.
    """

    request: ApiRequest
    list_key: str
    list_words: str
    list_serializer_class: type[BaseSerializer[Row]] | None = None
    pagination_class = Pages
    filter_backends = [DjangoFilterBackend]
    lookup_value_converter = "uuid"

    def own(self) -> QuerySet[Row]:
        """What the caller may see of a list, in its order."""
        raise NotImplementedError

    def plain_list(self) -> Any:
        """The same without a filter: what can be counted and cut."""
        return self.own()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return self.own() if self._is_filtered() else self.plain_list()

    def filter_queryset(self, queryset: Any) -> Any:
        return super().filter_queryset(queryset) if self._is_filtered() else queryset

    def _is_filtered(self) -> bool:
        """Whether the address asks for more than a page."""
        return not PAGE_NAMES.issuperset(self.request.query_params)

    def get_serializer_class(self) -> type[BaseSerializer[Row]]:
        of_rows = self.list_serializer_class if self.action == "list" else None
        return of_rows or super().get_serializer_class()

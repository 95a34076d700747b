"""Shared by all admin lists: bounded pages, indexed search, no edits.

Tables of jobs and of what hangs off them grow without end. So no list counts more than
it pages, sorts by what has no index, or searches inside texts. And no list answers a
question that it does not offer: `?password__startswith=a` would read a column that
nobody is shown, a character at a time.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from lora_pipeline.models import User

MOST_ROWS = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts and pages at most MOST_ROWS rows."""

    @cached_property
    def seen(self) -> int:
        """Number of rows, capped at one more than the maximum."""
        rows: Any = self.object_list
        return int(rows.order_by()[: MOST_ROWS + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.seen, MOST_ROWS)

    @property
    def is_capped(self) -> bool:
        """Whether there are rows beyond the last page."""
        return self.seen > MOST_ROWS

    @cached_property
    def about(self) -> int | None:
        """The planner's estimate of the table's rows; None for a filtered list."""
        rows: Any = self.object_list
        if rows.query.where:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)",
                [rows.model._meta.db_table],
            )
            found = cursor.fetchone()
        return round(found[0], -3) if found and found[0] > MOST_ROWS else None


class NarrowChangeList(ChangeList):
    """Leaves the columns in the database that a list does not show, and sorts by those
    alone whose heads are links: Django takes any column that `?o=` names.
    """

    def get_ordering_field(self, field_name: Any) -> Any:
        sortable = field_name in (self.sortable_by or ())
        return super().get_ordering_field(field_name) if sortable else None

    def get_queryset(self, *args: Any, **options: Any) -> "QuerySet[Any]":
        found = super().get_queryset(*args, **options)
        return found.defer(*self.model_admin.list_deferred)  # type: ignore[attr-defined]


class BoundedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list that is as fast with a million rows as with a thousand.

    Searches by id, by `search_job` (its id), by prefix of `search_start` and by
    `search_owner` (exact name): each has an index.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    view_on_site = False
    list_deferred: tuple[str, ...] = ()
    search_job = search_start = search_owner = ""

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return NarrowChangeList

    def lookup_allowed(
        self, lookup: str, value: Any, request: HttpRequest | None = None
    ) -> bool:
        """Whether a filter that this list shows has that parameter; Django lets any
        column of the table be asked for, secrets too.
        """
        return lookup in offered_parameters(self, request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are named by their keys: `_to_field=` shows no other column."""
        key = self.opts.pk
        return to_field in {key.name, key.attname}

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Makes the search box appear; `get_search_results` does the search."""
        return [
            name
            for name in (self.search_job, self.search_start, self.search_owner)
            if name
        ] or list(self.search_fields)

    @property
    def search_help_text(self) -> str:  # type: ignore[override]
        ways = [
            self._has_uuid * f"the id of a {self.opts.verbose_name}",
            bool(self.search_job) * "the id of a job",
            bool(self.search_start) * f"the start of its {_words(self.search_start)}",
            bool(self.search_owner) * "a username",
        ]
        return f"Search by {', or '.join(filter(None, ways))}."

    @property
    def _has_uuid(self) -> bool:
        return self.opts.pk.get_internal_type() == "UUIDField"

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        if not (term := search_term.strip()):
            return queryset, False
        try:
            return queryset.filter(self._with_id(UUID(term))), False
        except ValueError:
            return queryset.filter(self._with_words(term)), False

    def _with_id(self, wanted: UUID) -> Q:
        found = Q(pk=wanted) if self._has_uuid else Q(pk__in=[])
        return found | Q(**{self.search_job: wanted}) if self.search_job else found

    def _with_words(self, term: str) -> Q:
        """Looks the user up first: a join would not use the index."""
        found = Q(pk__in=[])
        if self.search_start:
            found |= Q(**{f"{self.search_start}__istartswith": term})
        if self.search_owner:
            users = User.objects.filter(username=term).values_list("pk", flat=True)
            found |= Q(**{f"{self.search_owner}__in": list(users)})
        return found


def offered_parameters(
    modeladmin: "BoundedAdmin", request: HttpRequest | None
) -> set[str]:
    """The parameters in the addresses of a list's filters and of its date line."""
    found: set[str] = set()
    for offered in modeladmin.get_list_filter(request):  # type: ignore[arg-type]
        if isinstance(offered, type) and issubclass(offered, admin.SimpleListFilter):
            found.add(str(offered.parameter_name))
        else:
            found.update(_filter(modeladmin, request, offered).expected_parameters())
    if line := modeladmin.date_hierarchy:
        found |= {f"{line}__{part}" for part in ("year", "month", "day")}
    return found


def _filter(modeladmin: "BoundedAdmin", request: Any, offered: Any) -> Any:
    """The filter of a field, as Django makes it of its name, or of name and class."""
    model = modeladmin.model
    path, kind = offered, admin.FieldListFilter.create
    if isinstance(offered, (tuple, list)):
        path, kind = offered
    field = get_fields_from_path(model, path)[-1]
    return kind(field, request, {}, model, modeladmin, field_path=path)


class ReadOnlyAdmin(BoundedAdmin):
    """A read-only list: nothing is added, changed or deleted here.

    `hidden` fields are never shown: secrets, hashes and training data.
    """

    hidden: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    sortable_by = ()
    actions_on_bottom = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = [field.name for field in self.opts.concrete_fields]
        return [*self.extra, *(name for name in names if name not in self.hidden)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may(self, request: HttpRequest, verb: str) -> bool:
        """Whether the user has the permission `<app>.<verb>_<model>`."""
        name = f"{self.opts.app_label}.{verb}_{self.opts.model_name}"
        return bool(request.user.has_perm(name))


class ReadOnlyRows(admin.TabularInline):  # type: ignore[type-arg]
    """Read-only child rows on their parent's page."""

    extra = 0
    can_delete = False
    show_change_link = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [str(name) for name in self.fields or ()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _words(name: str) -> str:
    return name.replace("_", " ").replace("  ", " ")

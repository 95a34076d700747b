"""User-initiated writes to adapters."""

from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Rule
from lora_pipeline.models import User
from training.adapters.lineage import next_version
from training.adapters.tasks import answer_question, export_merged
from training.jobs.transitions import record_log
from training.models import Adapter, AdapterExport, AdapterQuestion, Work

LONGEST_QUESTION = 4000
LONGEST_SYSTEM = 2000
MOST_NEW_TOKENS = 512
DEFAULT_NEW_TOKENS = 128
MOST_WAITING = 5
BYTES_PER_WEIGHT = 4  # merged models are saved in float32
TOO_MANY_QUESTIONS = Rule(
    code="too_many_questions",
    words="{waiting} of your questions are still unanswered. Wait for one to finish.",
    when="The caller has too many unanswered questions.",
    example={"waiting": MOST_WAITING},
)


@transaction.atomic
def rename_adapter(*, adapter: Adapter, name: str) -> None:
    """Rename it; under a new name it gets that name's next version."""
    if name == adapter.name:
        return
    adapter.version = next_version(adapter.user, name)
    adapter.name = name
    adapter.save(update_fields=["name", "version"])


@transaction.atomic
def delete_adapter(*, adapter: Adapter, by: str) -> None:
    """Delete its files, export and questions; the job stays on record."""
    paths = [adapter.storage_path]
    if export := AdapterExport.objects.filter(adapter=adapter).first():
        paths.append(export.storage_path)
        export.delete()
    adapter.questions.all().delete()
    adapter.deleted_at = timezone.now()
    adapter.storage_path = ""
    adapter.save(update_fields=["deleted_at", "storage_path"])
    adapter.job.artifact = None
    adapter.job.save(update_fields=["artifact", "updated_at"])
    record_log(adapter.job, f"the adapter {adapter} was deleted by {by}")
    for path in filter(None, paths):
        transaction.on_commit(partial(default_storage.delete, path))


@transaction.atomic
def start_export(*, adapter: Adapter) -> tuple[AdapterExport, bool]:
    """Queue a merge into the base model; also returns whether it was newly started.

    An export in progress or done is returned as it is; a failed one starts again.
    Raises Refusal 413 where the owner's storage has no room for the merged model.
    """
    Adapter.objects.select_for_update().get(pk=adapter.pk)
    export, is_new = AdapterExport.objects.get_or_create(adapter=adapter)
    if not is_new and export.status != Work.FAILED:
        return export, False
    expected = BYTES_PER_WEIGHT * (adapter.job.base_model.parameters or 0)
    require_room(owner=adapter.user, kind="storage_bytes", adding=expected)
    # Counts as storage from now on; the real size replaces it.
    export.size_bytes = expected
    export.status, export.stage, export.error = Work.WAITING, "", ""
    export.started_at = export.completed_at = None
    export.save()
    export_merged.defer(export_id=str(export.pk))
    return export, True


@transaction.atomic
def ask(
    *,
    adapter: Adapter,
    question: str,
    system: str = "",
    max_new_tokens: int = DEFAULT_NEW_TOKENS,
) -> AdapterQuestion:
    """Queue a question for the base model and the adapter.

    Raises Refusal 409 if the user has too many unanswered questions.
    """
    # The user's row, not the adapter's: the limit holds over all their adapters.
    User.objects.select_for_update().get(pk=adapter.user_id)
    own = AdapterQuestion.objects.filter(adapter__user=adapter.user_id)
    waiting = own.filter(status__in=[Work.WAITING, Work.RUNNING]).count()
    if waiting >= MOST_WAITING:
        raise TOO_MANY_QUESTIONS.refusal(waiting=waiting)
    asked = AdapterQuestion.objects.create(
        adapter=adapter,
        system=system,
        question=question,
        max_new_tokens=max_new_tokens,
    )
    answer_question.defer(question_id=str(asked.pk))
    return asked


def questions_before(question: AdapterQuestion) -> int:
    """Number of the same user's questions ahead of it."""
    own = AdapterQuestion.objects.filter(adapter__user=question.adapter.user_id)
    open_ones = own.filter(status__in=[Work.WAITING, Work.RUNNING])
    return open_ones.filter(created_at__lt=question.created_at).count()


@transaction.atomic
def clear_questions(*, adapter: Adapter) -> None:
    """Delete answered questions."""
    adapter.questions.filter(status__in=[Work.DONE, Work.FAILED]).delete()

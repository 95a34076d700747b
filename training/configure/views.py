"""The configuration page: configure, see the estimate, start."""

import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import (
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
)
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets.access import KIND
from datasets.models import Dataset
from lora_pipeline.errors import NotYours, Refusal
from lora_pipeline.web.requests import UserRequest
from training.configure.forms import (
    UNSENT,
    ConfigureForm,
    first_values,
    form_text,
    offered,
    preset_values,
)
from training.configure.panel import changed_values, panel_of, plan_words
from training.configure.suggestion import suggestion_panel
from training.domain.config import JobConfig
from training.domain.presets import CUSTOM, PRESETS
from training.domain.schedule import sharing_words
from training.estimates.answer import estimate_answer
from training.estimates.checked import CheckedConfig
from training.estimates.compare_gpus import Offer, compare
from training.estimates.lengths import counts_of, to_estimate
from training.estimates.rules import require_learning, require_statistics
from training.estimates.suggest import forecast_answer
from training.jobs.access import own_job
from training.jobs.idempotency import Claim, body_sha256
from training.jobs.services import create_job
from training.models import TrainingJob

SLIDERS = ("learning_rate", "batch_size", "epochs", "rank")
ADVANCED = (
    "method",
    "max_length",
    "packing",
    "micro_batch",
    "gradient_checkpointing",
    "alpha",
    "dropout",
    "warmup_ratio",
    "scheduler",
    "warmup_steps",
    "use_rslora",
    "weight_decay",
    "max_grad_norm",
    "neftune_noise_alpha",
    "eval_steps",
    "early_stopping_patience",
    "early_stopping_threshold",
    "load_best_model_at_end",
    "seed",
)


def configure(request: UserRequest) -> HttpResponse:
    """The page, its fragments for htmx, and starting a job."""
    given = request.POST if request.method == "POST" else request.GET
    if not given.get("datasetId"):
        own = Dataset.objects.visible_to(request.user).trainable()
        found = {"datasets": own[:20], "section": "jobs"}
        return render(request, "training/choose.html", found)
    dataset = _asked(request, given)
    machines = offered()
    values = first_values(machines) | given.dict()
    if "set_preset" in given:
        values |= preset_values(given.get("preset_id", ""))
    if "apply_change" in given:
        values |= changed_values(given["apply_change"])
    form = ConfigureForm(values, machines=machines)
    if request.method != "POST":
        return _page(request, dataset, form)
    if "start" in given:
        return _start(request, dataset, form)
    return HttpResponseRedirect(address(dataset, values))


def _asked(request: UserRequest, given: QueryDict) -> Dataset:
    """The user's dataset; unknown and malformed ids give the same 404."""
    with suppress(ValueError):
        asked, model = UUID(given.get("datasetId")), given.get("base_model", "")
        if found := to_estimate(request.user, asked, model):
            return found
    raise NotYours(KIND)


def address(dataset: Dataset, values: dict[str, Any]) -> str:
    """URL of the page with exactly these values, so that reloading loses nothing."""
    known = [*first_values([]), "preset_id"]
    kept = {n: values[n] for n in known if n not in UNSENT and n in values}
    query = urlencode({"datasetId": str(dataset.pk)} | kept)
    return f"{reverse('configure')}?{query}"


def address_of(job: TrainingJob) -> str:
    """URL of the page filled in with a job's settings."""
    values: dict[str, Any] = first_values([]) | _texts(job)
    return address(job.dataset, values)


def _texts(job: TrainingJob) -> dict[str, Any]:
    texts = {name: form_text(name, v) for name, v in job.hyperparameters.items()}
    cap = "" if job.max_cost is None else f"{job.max_cost.normalize():f}"
    return texts | {
        "preset_id": job.preset_id,
        "gpu_type": job.gpu_type,
        "gpu_count": job.gpu_count,
        "base_model": job.base_model_id,
        "name": job.name,
        "max_cost": cap,
    }


def _start(request: UserRequest, dataset: Dataset, form: ConfigureForm) -> HttpResponse:
    """Create the job and redirect to it, or show the form with its errors."""
    if form.is_valid():
        try:
            job, is_new = create_job(
                owner=request.user,
                dataset=dataset,
                asked=form.checked(),
                claim=_claim(form),
            )
        except Refusal as refusal:
            return _page(request, dataset, form, refusal=refusal)
        words = "was queued" if is_new else "has already been started"
        messages.success(request, f"{job.name} {words}.")
        return redirect(job)
    return _page(request, dataset, form, status=422)


def _claim(form: ConfigureForm) -> Claim | None:
    """One job per page and values, however often Start is pressed."""
    submission = form.cleaned_data["submission"]
    chosen = {k: v for k, v in form.cleaned_data.items() if k not in UNSENT}
    digest = body_sha256(chosen | {"dataset": str(form.data.get("datasetId"))})
    if not submission:
        return None
    return Claim(key=f"form:{submission}:{digest}", body_sha256=digest)


def _page(
    request: UserRequest,
    dataset: Dataset,
    form: ConfigureForm,
    *,
    status: int = 200,
    refusal: Refusal | None = None,
) -> HttpResponse:
    """The form with an estimate of its current values."""
    live = bool(request.headers.get("HX-Request"))
    asked = form.checked() if form.is_valid() else None
    found = {
        "dataset": dataset,
        "form": form,
        "section": "jobs",
        "oob": live,
        "presets": PRESETS.values(),
        "preset_shown": form.preset_shown(),
        "custom": CUSTOM,
        "sliders": [form[name] for name in SLIDERS],
        "advanced": [form[name] for name in ADVANCED],
        "submission": form.data.get("submission") or uuid.uuid4().hex,
        "model": (model := form.models.get(form["base_model"].value())),
        "suggestion": suggestion_panel(dataset, model, form),
        **_estimated(dataset, form, asked),
    }
    if refusal is not None:
        found["refusal"], status = refusal.message, refusal.status_code
    part = "#update" if live else ""
    response = render(request, f"training/configure.html{part}", found, status=status)
    if live:
        response.headers["HX-Replace-Url"] = address(dataset, dict(form.data.items()))
    return response


def _estimated(
    dataset: Dataset, form: ConfigureForm, asked: CheckedConfig | None
) -> dict[str, Any]:
    """The estimates of all GPU types, the chosen one's first in words."""
    offers = compare(list(form.machines.values()), dataset=dataset, asked=asked)
    if asked is None:
        pairs, tokens = dataset.total_training_pairs, dataset.total_tokens
        return {"offers": offers, "pairs": pairs, "tokens": tokens}
    counts = counts_of(dataset, asked.config.base_model)
    limit = asked.config.hyperparameters.max_length
    chosen = next(offer for offer in offers if offer.gpu == asked.gpu)
    found: dict[str, Any] = {
        "offers": offers,
        "config": asked.config,
        "chosen": chosen,
        "count_words": _count_words(chosen, asked.config),
        "pairs": counts.pairs_at(limit),
        "tokens": counts.tokens,
        "signal_warnings": list(counts.said_at(limit)),
    }
    try:
        require_statistics(dataset, counts, limit)
        found |= _figures(dataset, chosen, asked)
        require_learning(counts, limit)
    except Refusal as refusal:
        found["refusal"] = refusal.message
    return found


def _figures(dataset: Dataset, chosen: Offer, asked: CheckedConfig) -> dict[str, Any]:
    """What the cost panel shows of the chosen type."""
    if (estimate := chosen.estimate) is None:
        return {}
    answer = estimate_answer(estimate, dataset)
    return {
        "estimate": answer,
        "forecast": forecast_answer(dataset, asked, answer),
        "panel": panel_of(estimate, answer),
        "plan_words": plan_words(answer, asked.config),
    }


def _count_words(chosen: Offer, config: JobConfig) -> str:
    return sharing_words(
        batch_size=config.hyperparameters.batch_size,
        gpu_count=config.gpu_count,
        most=chosen.gpu.max_count,
    )


def again(request: UserRequest, job_id: UUID) -> HttpResponse:
    """Open the configuration page with this job's settings."""
    job = own_job(request.user, job_id)
    address = address_of(job)
    if job.dataset.deleted_at is not None:
        words = f"{job.dataset.name} was deleted. Choose a dataset for these settings."
        messages.error(request, words)
        address = address.replace(f"datasetId={job.dataset_id}&", "")
    return redirect(address)

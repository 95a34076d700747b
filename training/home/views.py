"""The home page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.vary import vary_on_headers

from datasets.models import Dataset
from lora_pipeline.web.requests import UserRequest
from training.costs.records import spend_of
from training.home.next_step import MOST_DATASETS, next_step, work_of


@vary_on_headers("HX-Request")
def home(request: UserRequest) -> HttpResponse:
    """Running jobs, results and the next step; htmx gets only the live parts."""
    work = work_of(request.user)
    found = {**work, "active": bool(work["running"] or work["waiting"])}
    if request.headers.get("HX-Request"):
        return render(request, "home.html#now", found)
    own = Dataset.objects.visible_to(request.user)
    datasets = list(own[:MOST_DATASETS])
    found |= {"datasets": datasets, "step": next_step(work, datasets)}
    found["spend"] = spend_of(request.user, work["running"])
    return render(request, "home.html", found)

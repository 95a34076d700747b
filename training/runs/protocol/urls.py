"""URLs of the run protocol, under /api/runs/<run id>/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from training.runs.protocol import api as run_api
from training.runs.protocol import events_api


class SplitConverter(StringConverter):
    """The two splits of a dataset."""

    regex = "train|validation"


register_converter(SplitConverter, "split")

urlpatterns = [
    path("spec", run_api.SpecView.as_view(), name="run-spec"),
    path(
        "dataset/<split:split>",
        run_api.DatasetSplitView.as_view(),
        name="run-dataset",
    ),
    path("events", events_api.post_events, name="run-events"),
    path("artifact", run_api.ArtifactView.as_view(), name="run-artifact"),
]

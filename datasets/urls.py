"""Dataset pages, under /datasets."""

from django.urls import path, register_converter

from datasets.pages import reading, views


class PartConverter:
    """The part of a dataset named in a URL."""

    regex = "original|train|validation"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PartConverter, "dataset_part")
ONE = "datasets/<uuid:dataset_id>"
urlpatterns = [
    path("datasets", views.dataset_list, name="datasets"),
    path("datasets/upload", views.upload, name="dataset-upload"),
    path(ONE, views.detail, name="dataset"),
    path(f"{ONE}/examples", views.examples, name="dataset-examples"),
    path(f"{ONE}/example", views.example, name="dataset-example"),
    path(f"{ONE}/edit", views.edit_page, name="dataset-edit"),
    path(f"{ONE}/version", views.version, name="dataset-version"),
    path(f"{ONE}/mapping", reading.mapping, name="dataset-mapping"),
    path(f"{ONE}/reading", reading.reading, name="dataset-reading"),
    path(f"{ONE}/measure", views.measure, name="dataset-measure"),
    path(f"{ONE}/delete", views.delete, name="dataset-delete"),
    path(f"{ONE}/restore", views.restore, name="dataset-restore"),
    path(
        f"{ONE}/download/<dataset_part:part>", views.download, name="dataset-download"
    ),
]

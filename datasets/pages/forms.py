"""Forms of datasets: upload, edit, new version, and what to look at."""

from typing import Any

from django import forms

from datasets.domain.lengths import MAX_LENGTH
from datasets.domain.split import (
    MAX_SEED,
    MAX_SHARE,
    SPLIT_SEED,
    SPLITS,
    VALIDATION_SHARE,
)
from training.models import BaseModel

KINDS = ".jsonl,.json,.csv,.parquet,.gz"
SHARE_WORDS = "0 to 50 % of the conversations; at least one when there are ten."


class SplitForm(forms.Form):
    """How the examples are divided."""

    validation_percent = forms.FloatField(
        label="Validation share (%)",
        required=False,
        min_value=0,
        max_value=MAX_SHARE * 100,
        initial=VALIDATION_SHARE * 100,
        help_text=SHARE_WORDS,
        localize=False,
    )
    split_seed = forms.IntegerField(
        label="Seed of the split",
        required=False,
        min_value=0,
        max_value=MAX_SEED,
        initial=SPLIT_SEED,
        help_text="The same seed gives the same split.",
    )

    def split(self) -> dict[str, Any]:
        """The valid fields as services take them; empty ones as they were."""
        percent, seed = (
            self.get_initial_for_field(self.fields[name], name)
            if self.cleaned_data[name] is None
            else self.cleaned_data[name]
            for name in ("validation_percent", "split_seed")
        )
        return {"validation_share": percent / 100, "split_seed": seed}


def file_field(*, required: bool, label: str, words: str) -> forms.FileField:
    """A file of a known kind."""
    return forms.FileField(
        label=label,
        required=required,
        allow_empty_file=True,
        max_length=255,
        help_text=words,
        widget=forms.FileInput(attrs={"accept": KINDS}),
    )


class UploadForm(SplitForm):
    """A file of conversations, and what to call it."""

    file = file_field(required=True, label="File", words="")
    name = forms.CharField(
        max_length=200, required=False, help_text="Empty: name of the file."
    )
    description = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    validation_file = file_field(
        required=False,
        label="Validation set",
        words="Held out instead of a share of the file, in the same format.",
    )
    field_order = ["file", "name", "description"]

    def values(self) -> dict[str, Any]:
        """The valid form as `create_dataset` takes it."""
        names = ("file", "name", "description", "validation_file")
        return {n: self.cleaned_data[n] for n in names} | self.split()


class VersionForm(SplitForm):
    """Another file, or the same one split otherwise."""

    file = file_field(
        required=False, label="File", words="Empty: the same content, split anew."
    )
    validation_file = file_field(required=False, label="Validation set", words="")
    field_order = ["file", "validation_file"]

    def values(self) -> dict[str, Any]:
        """The valid form as `create_version` takes it."""
        names = ("file", "validation_file")
        return {n: self.cleaned_data[n] for n in names} | self.split()


class EditForm(SplitForm):
    """Name and description; the split while no job uses the dataset."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    field_order = ["name", "description"]

    def __init__(self, *args: Any, in_use: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if in_use:
            words = "A training job uses it: make a new version to change this."
            for name in ("validation_percent", "split_seed"):
                self.fields[name].disabled = True
                self.fields[name].help_text = words

    def values(self) -> dict[str, Any]:
        """The valid form as `edit` takes it."""
        names = ("name", "description")
        return {n: self.cleaned_data[n] for n in names} | self.split()


class LookForm(forms.Form):
    """Which example to look at, by which base model, cut at which length."""

    example = forms.IntegerField(min_value=1, max_value=10**12, initial=1)
    split = forms.ChoiceField(choices=[(s, s.capitalize()) for s in SPLITS])
    max_length = forms.IntegerField(
        min_value=int(MAX_LENGTH.minimum),
        max_value=int(MAX_LENGTH.maximum),
        initial=int(MAX_LENGTH.default),
    )
    base_model = forms.ChoiceField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        models = BaseModel.objects.enabled().values_list("id", "name")
        self.fields["base_model"] = forms.ChoiceField(choices=list(models))

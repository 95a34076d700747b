"""Dataset forms: upload, edit, new version, preflight."""

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
SHARE_WORDS = "0 to 50 % of conversations; at least one if there are ten or more."


class SplitForm(forms.Form):
    """How examples are split into train and validation."""

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
        label="Split seed",
        required=False,
        min_value=0,
        max_value=MAX_SEED,
        initial=SPLIT_SEED,
        help_text="The same seed always gives the same split.",
    )

    def split(self) -> dict[str, Any]:
        """The cleaned fields as services expect them; empty ones unchanged."""
        percent, seed = (
            self.get_initial_for_field(self.fields[name], name)
            if self.cleaned_data[name] is None
            else self.cleaned_data[name]
            for name in ("validation_percent", "split_seed")
        )
        return {"validation_share": percent / 100, "split_seed": seed}


def file_field(*, required: bool, label: str, words: str) -> forms.FileField:
    """A file with a supported extension."""
    return forms.FileField(
        label=label,
        required=required,
        allow_empty_file=True,
        max_length=255,
        help_text=words,
        widget=forms.FileInput(attrs={"accept": KINDS}),
    )


class UploadForm(SplitForm):
    """A file of conversations with a name and description."""

    file = file_field(required=True, label="File", words="")
    name = forms.CharField(
        max_length=200, required=False, help_text="Defaults to the file name."
    )
    description = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    validation_file = file_field(
        required=False,
        label="Validation set",
        words="Used for validation instead of a share of the file. Same format.",
    )
    field_order = ["file", "name", "description"]

    def values(self) -> dict[str, Any]:
        """The cleaned data as arguments of `create_dataset`."""
        names = ("file", "name", "description", "validation_file")
        return {n: self.cleaned_data[n] for n in names} | self.split()


class VersionForm(SplitForm):
    """Another file, or the same file with a different split."""

    file = file_field(
        required=False,
        label="File",
        words="Leave empty to split the current content again.",
    )
    validation_file = file_field(required=False, label="Validation set", words="")
    field_order = ["file", "validation_file"]

    def values(self) -> dict[str, Any]:
        """The cleaned data as arguments of `create_version`."""
        names = ("file", "validation_file")
        return {n: self.cleaned_data[n] for n in names} | self.split()


class EditForm(SplitForm):
    """Name, description and, while no job uses the dataset, the split."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    field_order = ["name", "description"]

    def __init__(self, *args: Any, in_use: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if in_use:
            words = (
                "A training job uses this dataset. "
                "Create a new version to change the split."
            )
            for name in ("validation_percent", "split_seed"):
                self.fields[name].disabled = True
                self.fields[name].help_text = words

    def values(self) -> dict[str, Any]:
        """The cleaned data as arguments of `edit`."""
        names = ("name", "description")
        return {n: self.cleaned_data[n] for n in names} | self.split()


class LookForm(forms.Form):
    """The example to show, the base model and the max_length."""

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

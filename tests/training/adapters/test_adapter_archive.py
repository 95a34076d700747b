"""The artifact's door: safetensors in one flat folder, and nothing that runs code."""

import io
import json
import pickle
import struct
import zipfile

import pytest

from tests.safetensors import weights
from training.adapters.archive import BadArchive, check_archive

GOOD = {"adapter_model.safetensors": weights(), "adapter_config.json": b"{}"}
PICKLE = pickle.dumps({"w": [1.0]})
MOST = 10_000


def archive(files: dict[str, bytes], **attributes: int) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = attributes.get(name.partition(".")[0], 0o644 << 16)
            target.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer


def torch_save() -> bytes:
    return archive({"archive/data.pkl": PICKLE}).getvalue()


def refusal(files: dict[str, bytes], **attributes: int) -> str:
    with pytest.raises(BadArchive) as refused:
        check_archive(archive(files, **attributes), most_bytes=MOST)
    return str(refused.value)


def test_a_peft_folder_is_taken():
    more = {"README.md": b"# x", "tokenizer.json": b"{}", "chat_template.jinja": b"x"}
    more |= {"merges.txt": b"a b", "tokenizer.model": b"\x0a\x0e"}
    found = check_archive(archive(GOOD | more), most_bytes=MOST)
    assert len(found) == 64


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "/etc/outside.json",
        "folder/inside.json",
        "C:\\outside.json",
        "..\\outside.json",
        "pytorch_model.bin",
        "adapter_model.pt",
        "training_args.pkl",
        "modeling.py",
        "run.sh",
        "no_suffix",
        "folder/",
        "new\nline.json",
    ],
)
def test_a_file_elsewhere_or_of_another_kind_is_refused(name):
    assert "a forbidden file" in refusal(GOOD | {name: b"{}"})


@pytest.mark.parametrize("kind", [0o120777, 0o060644, 0o010644, 0o040755])
def test_a_link_or_a_device_is_refused(kind):
    assert "forbidden file: 'link.json'" in refusal(
        GOOD | {"link.json": b"/etc/passwd"}, link=kind << 16
    )


@pytest.mark.parametrize("content", [PICKLE, pickle.dumps(1, 2), torch_save()])
@pytest.mark.parametrize("name", ["adapter_model.safetensors", "x.json", "x.model"])
def test_a_pickle_under_another_name_is_refused(name, content):
    assert f"{name} is a pickle" in refusal(GOOD | {name: content})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"weights",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 9) + b"not json!",
        struct.pack("<Q", 2) + b"[]",
    ],
)
def test_weights_that_are_no_safetensors_are_refused(content):
    found = refusal(GOOD | {"adapter_model.safetensors": content})
    assert "does not match its name" in found


def test_a_config_that_is_no_json_is_refused():
    found = refusal(GOOD | {"adapter_config.json": b"import os"})
    assert "adapter_config.json does not match its name" in found


def test_what_is_missing_is_named():
    assert "is missing adapter_model.safetensors" in refusal(
        {"adapter_config.json": b"{}"}
    )


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused():
    bomb = {"README.md": b"0" * (MOST + 1)}
    assert "larger than 10,000 bytes" in refusal(GOOD | bomb)


def test_the_same_name_twice_is_refused():
    buffer = archive(GOOD)
    with (
        zipfile.ZipFile(buffer, "a") as target,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        target.writestr("adapter_config.json", json.dumps({"other": 1}))
    with pytest.raises(BadArchive, match="duplicate files"):
        check_archive(buffer, most_bytes=MOST)


@pytest.mark.parametrize("content", [b"", b"no zip", PICKLE])
def test_what_is_no_archive_is_refused(content):
    with pytest.raises(BadArchive):
        check_archive(io.BytesIO(content), most_bytes=MOST)

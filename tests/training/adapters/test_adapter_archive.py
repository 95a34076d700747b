"""The artifact's door: safetensors in one flat folder, and nothing that runs code."""

import io
import json
import pickle
import struct
import tracemalloc
import zipfile

import pytest

from tests.safetensors import weights
from training.adapters.archive import BadArchive, check_archive, unpack_archive

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


def test_files_as_large_as_those_of_real_models_are_taken():
    tokenizer = json.dumps({"vocab": {f"word {n}": n for n in range(200_000)}}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, content in (GOOD | {"tokenizer.json": tokenizer}).items():
            target.writestr(name, content)
    assert len(tokenizer) > 4_000_000
    assert check_archive(buffer, most_bytes=10**7)


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


MIB = 1024**2
LARGE = 10**11


def numbers(size: int) -> bytes:
    """JSON that packs about 30 times, and takes 30 times its size as objects."""
    return b"[" + b",".join(b"[%d]" % (n % 997) for n in range(size // 6)) + b",0]"


def header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", b"[" + b"[]," * (20 * MIB) + b"[]]"),
        ("adapter_model.safetensors", header(b'{"a":' + b" " * (15 * MIB) + b"0}")),
        ("adapter_model.safetensors", weights() + bytes(300 * MIB)),
        ("notes.txt.json", b"0" + b" " * (70 * MIB)),
    ],
)
def test_an_archive_that_unpacks_out_of_measure_is_refused(name, content):
    packed = archive(GOOD | {name: content})
    assert len(packed.getvalue()) < MIB
    with pytest.raises(BadArchive, match=r"times its|not what its name"):
        check_archive(packed, most_bytes=LARGE)


@pytest.mark.parametrize("name", ["tokenizer.json", "adapter_model.safetensors"])
def test_checking_an_archive_never_takes_much_memory(name):
    text = numbers(14 * MIB)
    is_weights = name.endswith("safetensors")
    content = header(b'{"a":' + text + b"}") if is_weights else text
    packed = archive(GOOD | {name: content})
    del content
    tracemalloc.start()
    check_archive(packed, most_bytes=LARGE)
    assert tracemalloc.get_traced_memory()[1] < 100 * MIB
    tracemalloc.stop()


def test_a_stored_archive_is_checked_again_before_it_unpacks(tmp_path):
    """The storage may be a bucket, which others write to."""
    unpack_archive(archive(GOOD), tmp_path / "good", most_bytes=MOST)
    assert {file.name for file in (tmp_path / "good").iterdir()} == set(GOOD)
    bomb = archive(GOOD | {"a.txt": bytes(MOST)})
    for number, bad in enumerate([bomb, archive(GOOD | {"../a.txt": b"x"})]):
        with pytest.raises(BadArchive):
            unpack_archive(bad, tmp_path / str(number), most_bytes=MOST)
        assert not (tmp_path / str(number)).exists()
    assert not (tmp_path / "a.txt").exists()


def test_a_directory_of_a_million_files_is_not_even_read():
    """20 MB that took 400 MB of memory, each name an object."""
    packed = archive(GOOD)
    entry = packed.getvalue()[packed.getvalue().index(b"PK\x01\x02") :][:46]
    entry = entry[:28] + struct.pack("<HHH", 1, 0, 0) + entry[34:] + b"a"
    many = entry * 400_000
    start = packed.getvalue()[: packed.getvalue().index(b"PK\x01\x02")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, len(many), len(start), 0)
    tracemalloc.start()
    with pytest.raises(BadArchive, match="directory"):
        check_archive(io.BytesIO(start + many + end), most_bytes=LARGE)
    assert tracemalloc.get_traced_memory()[1] < 50 * MIB
    tracemalloc.stop()

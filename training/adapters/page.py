"""Context of the adapter pages: downloads, code snippets, lineage."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import slugify

from lora_pipeline.files.downloads import Download
from training.adapters.services import questions_before
from training.models import Adapter, AdapterExport, AdapterQuestion, Work

KEPT_QUESTIONS = 20
FROM_HUB = """from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

folder = "{folder}"  # the extracted archive
model = AutoPeftModelForCausalLM.from_pretrained(folder)
"""
FROM_FOLDER = """from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "{folder}"  # the extracted archive
base = AutoModelForCausalLM.from_pretrained("{base_model}")
model = PeftModel.from_pretrained(base, folder)
"""
PEFT = """tokenizer = AutoTokenizer.from_pretrained(folder)

messages = [{{"role": "user", "content": "Hello"}}]
prompt = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(
    **prompt, max_new_tokens=64, eos_token_id=tokenizer.eos_token_id
)
print(tokenizer.decode(answer[0], skip_special_tokens=True))
"""
VLLM = """vllm serve {base_model}{served} \\
    --tokenizer ./{folder} \\
    --enable-lora --max-lora-rank {rank} \\
    --lora-modules {name}=./{folder}

# then use the model "{name}" through its OpenAI-compatible API
"""
RANKS_OF_VLLM = (8, 16, 32, 64, 128, 256, 320, 512)


def archive_of(adapter: Adapter) -> Download:
    """The adapter's archive as a download."""
    return Download(
        storage_path=adapter.storage_path,
        size_bytes=adapter.size_bytes,
        sha256=adapter.archive_sha256,
        filename=f"{file_stem(adapter)}.zip",
    )


def merged_archive_of(export: AdapterExport) -> Download:
    """The merged model's archive as a download."""
    return Download(
        storage_path=export.storage_path,
        size_bytes=export.size_bytes or 0,
        sha256=export.archive_sha256,
        filename=f"{file_stem(export.adapter)}-merged.zip",
    )


def file_stem(adapter: Adapter) -> str:
    """A file name of letters, digits and dashes: my-job-v2."""
    return f"{slugify(adapter.name)[:80] or 'adapter'}-v{adapter.version}"


def snippets(adapter: Adapter) -> dict[str, str]:
    """Code snippets for loading the adapter."""
    job = adapter.job
    rank = int(job.hyperparameters.get("rank", 16))
    commit = "" if job.base_model.path else job.base_revision
    values = {
        "folder": file_stem(adapter),
        "name": file_stem(adapter),
        "base_model": str(job.base_model.folder or job.base_model_id),
        "served": f" --revision {commit}" if commit else "",
        "rank": next((known for known in RANKS_OF_VLLM if known >= rank), rank),
    }
    loading = FROM_FOLDER if job.base_model.path else FROM_HUB
    code = (loading + PEFT).format(**values)
    return {"PEFT": code, "vLLM": VLLM.format(**values)}


def lineage_rows(lineage: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The known lineage facts as label and value."""
    data, model = lineage.get("dataset") or {}, lineage.get("base_model") or {}
    rows = [
        ("Dataset", data.get("name")),
        ("Dataset SHA-256", data.get("sha256")),
        ("Training sequences", data.get("training_pairs")),
        ("Base model", model.get("id")),
        ("Base model revision", model.get("revision")),
        ("Base model SHA-256", model.get("sha256")),
        ("Seed", lineage.get("seed")),
        ("Steps", lineage.get("steps")),
        ("Adapter of step", lineage.get("delivered_step")),
        ("Attempts", lineage.get("attempts")),
    ]
    return [(words, str(value)) for words, value in rows if value not in (None, "")]


def questions_of(adapter: Adapter) -> list[AdapterQuestion]:
    """The newest questions, each with `ahead`: how many come before it."""
    found = list(adapter.questions.all()[:KEPT_QUESTIONS])
    for question in found:
        waits = question.status == Work.WAITING
        question.ahead = questions_before(question) if waits else 0  # type: ignore[attr-defined]
    return found

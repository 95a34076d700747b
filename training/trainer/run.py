"""Executes one run attempt and reports failures."""

import importlib.metadata
import os
import platform
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import parallel
from explain import explain, model_not_found
from reporting import Console, Refused, Reporter, Silent, say
from saving import checked_archive
from spec import Spec, read_spec
from stopping import Stopped

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "tokenizers")


def run_attempt(run_dir: Path) -> int:
    """Execute the attempt named in the environment; returns the exit status."""
    run_id, token = os.environ["LORA_RUN_ID"], os.environ.pop("LORA_RUN_TOKEN")
    parallel.enter(run_dir)
    attempt_dir = run_dir / "attempts" / run_id
    attempt_dir.mkdir(parents=True, exist_ok=True)
    console = Console(run_dir, run_id, token)
    if parallel.RANK > 0:
        return _follow(console, run_dir, attempt_dir)
    reporter = Reporter(console, attempt_dir)
    signal.signal(signal.SIGTERM, lambda *_: reporter.cancelled.set())
    try:
        _carry_out(console, reporter, run_dir, attempt_dir)
        reporter.flush()
    except Refused as refused:
        say(str(refused), sys.stderr)
        return 3
    return 0


def _carry_out(
    console: Console, reporter: Reporter, run_dir: Path, attempt_dir: Path
) -> None:
    """The first process, the only one that talks to the console."""
    try:
        reporter.emit("started", **_facts())
        parallel.note_process(run_dir)
        spec = read_spec(console.get_json("spec"), run_dir)
        reporter.emit("stage", stage="preparing_data")
        for split in ("train", "validation"):
            console.download(f"dataset/{split}", run_dir / f"{split}.jsonl")
        spec = _pinned(spec, reporter)
        parallel.data_is_ready(attempt_dir, spec.base_model["revision"] or "")
        _train(spec, console, reporter)
        reporter.emit("completed")
    except Stopped as stopped:
        reporter.emit("cancelled", step=stopped.step)
    except Refused:
        raise
    except BaseException as error:
        if reporter.refused is not None:
            raise reporter.refused from error
        stack = traceback.format_exc()
        say(stack, sys.stderr)
        began = reporter.measures.has_stepped
        kind, message = explain(error, run_dir, has_stepped=began)
        own = {"kind": kind, "message": message, "stack": stack}
        reporter.emit("failed", **(parallel.word_left(attempt_dir) or own))


def _pinned(spec: Spec, reporter: Reporter) -> Spec:
    """The run on one commit of its base model, which the console keeps for the job:
    the branch may have moved before the next attempt, a question, or the merge.
    """
    model = spec.base_model
    if model["path"]:
        return spec
    from hub import resolve

    try:
        commit = resolve(model["id"], model["revision"])
    except OSError as error:
        raise model_not_found(spec, "Hugging Face", error) from error
    reporter.emit("facts", facts={"base_commit": commit})
    return spec.at(commit)


def _follow(console: Console, run_dir: Path, attempt_dir: Path) -> int:
    """Any other process under torchrun: trains, but does not report."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        spec = read_spec(console.get_json("spec"), run_dir)
        spec = spec.at(parallel.wait_for_data(attempt_dir))
        from train import train

        train(spec, Silent())
    except Stopped:
        return 0
    except BaseException as error:
        stack = traceback.format_exc()
        say(stack, sys.stderr)
        parallel.leave_word(attempt_dir, *explain(error, run_dir), stack)
        return 1
    return 0


def _facts() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "hostname": platform.node(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "world_size": parallel.WORLD_SIZE,
    }


def _train(spec: Spec, console: Console, reporter: Reporter) -> None:
    from train import train

    adapter = train(spec, reporter)
    reporter.emit("stage", stage="saving")
    archive = spec.run_dir / "adapter.zip"
    checksums = checked_archive(adapter, archive)
    reporter.flush()
    console.put_file("artifact", archive, checksums)
    reporter.measures.lap("save")
    reporter.emit("facts", facts={"measured": reporter.measures.report()})

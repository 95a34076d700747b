"""A trainer that speaks the real run protocol and computes nothing.

For tests of what surrounds a run: it starts in a fraction of a second. It takes its
lock, reports, saves, stops and sends its adapter as the real one does; how long a step
takes stands in `stub_step_seconds` in the folder above the runs.
"""

import hashlib
import io
import os
import signal
import sys
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "training" / "trainer"))

import parallel
from reporting import Console, Refused, Reporter


def main() -> int:
    run_dir = Path(sys.argv[sys.argv.index("--run-dir") + 1])
    run_id, token = os.environ["LORA_RUN_ID"], os.environ.pop("LORA_RUN_TOKEN")
    console = Console(run_dir, run_id, token)
    reporter = Reporter(console, run_dir / "attempts" / run_id)
    signal.signal(signal.SIGTERM, lambda *_: reporter.cancelled.set())
    try:
        carry_out(console, reporter, run_dir)
        reporter.flush()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 3
    return 0


def carry_out(console: Console, reporter: Reporter, run_dir: Path) -> None:
    reporter.emit("started", pid=os.getpid(), world_size=1)
    parallel.note_process(run_dir)
    spec = console.get_json("spec")
    devices = os.environ["CUDA_VISIBLE_DEVICES"]
    reporter.emit("facts", facts={"visible_devices": devices})
    reporter.emit("stage", stage="training")
    begin = (spec["resume_from"] or {"step": 0})["step"]
    pace = float((run_dir.parents[1] / "stub_step_seconds").read_text())
    for step in range(begin + 1, spec["total_steps"] + 1):
        time.sleep(pace)
        report(reporter, step)
        if reporter.cancelled.is_set():
            save(reporter, run_dir, step)
            reporter.emit("cancelled", step=step)
            return
        if step % spec["checkpoint_every_steps"] == 0:
            save(reporter, run_dir, step)
    send(console, reporter, run_dir)
    reporter.emit("completed")


def report(reporter: Reporter, step: int) -> None:
    values = {"loss": 3.0 / step, "step_seconds": 0.01, "tokens_seen": step * 100}
    reporter.emit("metrics", step=step, epoch=0.1, **values)


def save(reporter: Reporter, run_dir: Path, step: int) -> None:
    folder = run_dir / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state").write_text(str(step))
    reporter.emit("checkpoint", step=step, name=folder.name, size_bytes=8)


def send(console: Console, reporter: Reporter, run_dir: Path) -> None:
    header = b'{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
    weights = len(header).to_bytes(8, "little") + header + bytes(4)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("adapter_model.safetensors", weights)
        target.writestr("adapter_config.json", "{}")
    file = run_dir / "adapter.zip"
    file.write_bytes(archive.getvalue())
    reporter.flush()
    headers = {
        "X-Content-SHA256": hashlib.sha256(archive.getvalue()).hexdigest(),
        "X-Adapter-SHA256": hashlib.sha256(weights).hexdigest(),
    }
    console.put_file("artifact", file, headers)


if __name__ == "__main__":
    sys.exit(main())

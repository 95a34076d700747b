"""`manage.py demo`: a full training job from end to end, through the REST API."""

import json
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from urllib import request

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.accounts.services import create_api_key, revoke_api_key
from lora_pipeline.management.commands.up import running
from lora_pipeline.models import User
from lora_pipeline.processes import ports
from training.adapters.archive import unpack_archive
from training.catalogue.demo_model import (
    FetchFailed,
    demo_model_folder,
    fetch_demo_model,
)
from training.launchers.account import hand_over
from training.launchers.program import run, trainer_command

SAMPLES = Path(settings.BASE_DIR) / "datasets" / "samples"
NAME = "lumen_support"
USERNAME = PASSWORD = "demo"  # noqa: S105 - the demo's account, which the README names
ENDED = {"completed", "failed", "cancelled"}


class Command(BaseCommand):
    help = "Train on the sample dataset, show the result, and keep the console running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=ports.HOST)
        parser.add_argument("--port", type=int, default=ports.PORT)
        parser.add_argument(
            "--exit",
            action="store_true",
            help="exit after the answers; status 0 only if the facts were learned",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with running(options["host"], options["port"], self.stdout) as started:
                console, url = started
                learned = self._show(url)
                if not options["exit"]:
                    self._invite(url)
                    console.run()
        except KeyboardInterrupt:
            self.stdout.write("stopped; training runs in progress continue")
            return
        if not learned:
            raise CommandError("The adapter did not learn every fact; see the answers.")

    def _show(self, url: str) -> bool:
        try:
            fetch_demo_model(self.stdout.write)
        except FetchFailed as error:
            raise CommandError(str(error)) from None
        owner = demo_user()
        key, secret = create_api_key(owner=owner, name="make demo")
        try:
            job = self._train(Api(url, secret))
            archive = self._download(Api(url, secret), job)
        finally:
            revoke_api_key(key=key)
        return self._compare(archive)

    def _train(self, api: "Api") -> dict[str, Any]:
        """Upload, wait for validation, start the job and follow it to its end."""
        dataset = api.upload("/api/datasets", SAMPLES / f"{NAME}.jsonl")
        while dataset["status"] == "validating":
            time.sleep(0.2)
            dataset = api.get(f"/api/datasets/{dataset['id']}")
        if dataset["status"] != "ready":
            raise CommandError(
                f"The sample was rejected: {dataset['validation_errors']}"
            )
        self.stdout.write(
            f"dataset {dataset['name']}: {dataset['total_training_pairs']} training "
            f"sequences, {dataset['total_tokens']} tokens"
        )
        body = job_body(dataset["id"])
        quoted = {k: v for k, v in body.items() if k not in {"preset_id", "name"}}
        estimate = api.post("/api/jobs/estimate", quoted)
        minutes = sum(estimate["duration_parts_seconds"].values()) / 60
        self.stdout.write(
            f"estimate: {minutes:.1f} minutes, {estimate['estimated_cost']:.2f} USD"
        )
        job = api.post("/api/jobs", body)
        self.stdout.write(f"job {job['id']}: {api.url}/training/jobs/{job['id']}")
        return self._follow(api, job)

    def _follow(self, api: "Api", job: dict[str, Any]) -> dict[str, Any]:
        shown = ""
        while job["status"] not in ENDED:
            time.sleep(0.5)
            job = api.get(f"/api/jobs/{job['id']}")
            if (line := progress_line(job)) != shown:
                self.stdout.write(line)
                shown = line
        if job["status"] != "completed":
            raise CommandError(f"The job {job['status']}: {job['error_message']}")
        return job

    def _download(self, api: "Api", job: dict[str, Any]) -> Path:
        target = Path(settings.VAR_DIR) / "demo-adapter.zip"
        api.download(f"/api/adapters/{job['artifact_id']}/download", target)
        self.stdout.write(f"adapter: {target} ({target.stat().st_size / 1e6:.1f} MB)")
        return target

    def _compare(self, archive: Path) -> bool:
        """Print both answers to each question; returns whether all were learned."""
        facts = json.loads((SAMPLES / f"{NAME}_questions.json").read_text())
        self.stdout.write("asking the base model and the adapter the same questions …")
        before, after = ask(facts), ask(facts, archive)
        learned = True
        for fact, base, adapted in zip(facts, before, after, strict=True):
            self.stdout.write(f"\n  {fact['question']}")
            self.stdout.write(f"    base model: {base.strip()}")
            self.stdout.write(f"    adapter:    {adapted.strip()}")
            learned &= fact["taught"] in adapted and fact["taught"] not in base
        words = "The adapter knows what the base model does not."
        self.stdout.write(
            f"\n{words}" if learned else "\nThe adapter did not learn every fact."
        )
        return learned

    def _invite(self, url: str) -> None:
        self.stdout.write(
            f"\nThe console is running at {url}\n"
            f"Sign in as {USERNAME} with the password {PASSWORD}. Ctrl-C to stop."
        )


def demo_user() -> User:
    """The demo user, who can also use the admin."""
    user, made = User.objects.get_or_create(
        username=USERNAME, defaults={"is_staff": True, "is_superuser": True}
    )
    if made:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return user


def _settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{NAME}_settings.json").read_text())
    return found


def job_body(dataset_id: str) -> dict[str, Any]:
    """The request that creates the demo's job."""
    return {
        "dataset_id": dataset_id,
        "name": "Lumen help desk",
        "base_model": settings.DEFAULT_BASE_MODEL,
        "preset_id": "custom",
        "gpu_config": {"type": "CPU", "count": 1},
        "hyperparameters": _settings()["hyperparameters"],
    }


def progress_line(job: dict[str, Any]) -> str:
    """A job's progress in one line."""
    stage = job["current_stage"].replace("_", " ")
    if not job["current_step"]:
        return f"  {job['status']}: {job['status_note'] or stage}"
    loss = job["current_metrics"].get("loss")
    said = "not a number" if loss is None else f"{loss:.3f}"
    step = f"step {job['current_step']}/{job['total_steps']}"
    return f"  {stage}: {step}, loss {said}"


def ask(facts: list[dict[str, str]], adapter: Path | None = None) -> list[str]:
    """Greedy answers of the base model, with or without the adapter."""
    system = {"role": "system", "content": _settings()["system"]}
    chats = [[system, {"role": "user", "content": f["question"]}] for f in facts]
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_DIR) as name:
        questions = Path(name, "questions.json")
        questions.write_text(json.dumps(chats))
        command = trainer_command("ask", "--model", str(demo_model_folder()))
        command += ["--questions", str(questions)]
        if adapter:
            folder = Path(name, "adapter")
            with adapter.open("rb") as archive:
                unpack_archive(archive, folder, most_bytes=settings.MAX_ADAPTER_BYTES)
            command += ["--adapter", str(folder)]
        hand_over(Path(name))
        done = run(command)
    if done.returncode:
        raise CommandError(
            f"The trainer could not generate answers:\n{done.stderr[-2000:]}"
        )
    answers: list[str] = json.loads(done.stdout)
    return answers


class Api:
    """A client of the console's REST API, like any script."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key

    def get(self, path: str) -> dict[str, Any]:
        return self._json(path)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        return self._json(path, json.dumps(body).encode(), "application/json")

    def upload(self, path: str, file: Path) -> dict[str, Any]:
        border = uuid.uuid4().hex
        head = (
            f'--{border}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{file.name}"\r\n\r\n'
        )
        body = head.encode() + file.read_bytes() + f"\r\n--{border}--\r\n".encode()
        return self._json(path, body, f"multipart/form-data; boundary={border}")

    def download(self, path: str, target: Path) -> None:
        with self._open(path) as answer, target.open("wb") as file:
            while chunk := answer.read(1024 * 1024):
                file.write(chunk)

    def _json(
        self, path: str, body: bytes | None = None, kind: str = ""
    ) -> dict[str, Any]:
        with self._open(path, body, kind) as answer:
            found: dict[str, Any] = json.load(answer)["data"]
            return found

    def _open(self, path: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self._key}"}
        if kind:
            headers["Content-Type"] = kind
        return request.urlopen(request.Request(self.url + path, body, headers))  # noqa: S310 - the console that it started, over http

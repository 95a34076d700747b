"""What must be true of every job in the end, read from the database itself."""

import json
import subprocess
import time
import urllib.error

STATES = """
import json
from training.models import TrainingJob
jobs = TrainingJob.objects.filter(pk__in={jobs!r})
print(json.dumps({{str(job.pk): job.is_final for job in jobs}}))
"""
TOLD = """
import json
from training.models import DeviceClaim, TrainingJob
def told(job):
    attempts = list(job.attempts.order_by("number"))
    cost = getattr(job, "cost_record", None)
    return {{
        "status": job.status,
        "failure_kind": job.failure_kind,
        "error": job.error_message,
        "final_cost": job.final_cost,
        "points": list(job.metrics.values_list("step", "loss", "tokens_seen")),
        "evaluations": list(
            job.metrics.exclude(validation_loss=None).values_list(
                "step", "validation_loss"
            )
        ),
        "adapter": job.artifact and job.artifact.adapter_sha256,
        "cost": cost and [cost.running_seconds, cost.compute_usd, cost.storage_usd,
                          cost.total_usd],
        "price": job.usd_per_gpu_hour,
        "attempts": [
            {{
                "number": a.number,
                "outcome": a.outcome,
                "kind": a.failure_kind,
                "charged": a.charged,
                "seconds": a.running_seconds,
                "began": a.created_at.timestamp(),
                "resumed_from": a.resumed_from_step,
                "last_event": max(
                    (e.at.timestamp() for e in job.events.filter(attempt=a)),
                    default=0.0,
                ),
                "last_step": max(
                    job.metrics.filter(attempt=a).values_list("step", flat=True),
                    default=0,
                ),
            }}
            for a in attempts
        ],
    }}
jobs = TrainingJob.objects.filter(pk__in={jobs!r}).select_related("artifact")
found = {{str(job.pk): told(job) for job in jobs}}
print(json.dumps(default=str, obj=[found, DeviceClaim.objects.count()]))
"""
OURS = {"lost", "stalled", "not_started"}


def patient(ask, seconds: float = 60.0):
    """An answer of the API, asked again while the console is on its way up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return ask()
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return None
        except (OSError, AssertionError):
            pass
        time.sleep(0.3)
    return None


def end_state(console, jobs: list[str]) -> dict[str, bool]:
    """By job, whether it has ended; all false while the database is away."""
    try:
        return json.loads(console.shell(STATES.format(jobs=jobs)))
    except (subprocess.CalledProcessError, json.JSONDecodeError):
        return dict.fromkeys(jobs, False)


def check(console, jobs, reference: dict) -> list[str]:
    """Everything that does not hold, in sentences."""
    time.sleep(2)
    found, claims = json.loads(console.shell(TOLD.format(jobs=list(jobs))))
    failures = [f"{claims} devices are still claimed"] if claims else []
    for job, fate in jobs.items():
        told = found[job]
        words = [
            *ending(told, fate),
            *learning(told, fate, reference),
            *fencing(told),
            *costs(told),
        ]
        failures += [f"{job[:8]} ({fate.words()}): {word}" for word in words]
    return failures


def ending(told: dict, fate) -> list[str]:
    """The right end, in at most three tries, an adapter from just one of them."""
    failures = []
    ends = {fate.end} | ({"completed"} if fate.control == "cancel" else set())
    if told["status"] not in ends:
        outcomes = [(a["outcome"], a["kind"]) for a in told["attempts"]]
        failures.append(f"{told['status']}: {told['error'][:200]} {outcomes}")
    if fate.disk and told["failure_kind"] != "disk_full":
        failures.append(f"the full disk was taken for {told['failure_kind']!r}")
    tries = [
        a for a in told["attempts"] if a["outcome"] in {"lost", "stalled", "failed"}
    ]
    if len(tries) > 3:
        failures.append(f"{len(tries)} failed attempts")
    completed = [a for a in told["attempts"] if a["outcome"] == "completed"]
    if len(completed) != (told["status"] == "completed"):
        failures.append(f"{len(completed)} attempts completed it")
    return failures


def learning(told: dict, fate, reference: dict) -> list[str]:
    """No step missing, none doubled; the numbers of the undisturbed run."""
    steps = [point[0] for point in told["points"]]
    if steps != list(range(1, len(steps) + 1)):
        return [f"steps {steps}"]
    if told["points"] != reference["points"][: len(steps)]:
        return ["its losses differ from the undisturbed run's"]
    if told["status"] != "completed":
        return []
    failures = []
    if len(steps) != len(reference["points"]):
        failures.append(f"{len(steps)} steps")
    if told["evaluations"] != reference["evaluations"]:
        failures.append(f"its validation losses differ: {told['evaluations']}")
    if told["adapter"] != reference["adapter"]:
        failures.append("its adapter has another sha256")
    return failures


def fencing(told: dict) -> list[str]:
    """No attempt was heard, or kept a step, after a newer one began."""
    failures = []
    pairs = zip(told["attempts"], told["attempts"][1:], strict=False)
    for older, newer in pairs:
        if older["last_event"] > newer["began"]:
            failures.append(f"attempt {older['number']} was heard after the next began")
        if older["last_step"] > newer["resumed_from"]:
            failures.append(f"attempt {older['number']} kept steps beyond the next")
    return failures


def is_ours(attempt: dict) -> bool:
    """Ended by our making, not by a full disk, which is its user's to mend."""
    return attempt["outcome"] in OURS and attempt["kind"] != "disk_full"


def costs(told: dict) -> list[str]:
    """Charged seconds x price + storage, once; nothing for what we lost."""
    failures = []
    if wrong := [a for a in told["attempts"] if a["charged"] == is_ours(a)]:
        failures.append(f"charged wrongly: {wrong}")
    if told["cost"] is None:
        return [*failures, "it has no cost record"]
    seconds, compute, storage, total = (float(value) for value in told["cost"])
    charged = sum(a["seconds"] for a in told["attempts"] if a["charged"])
    if abs(charged - seconds) > 1e-3:
        failures.append(f"{seconds} s recorded, {charged} s charged")
    if abs(compute - charged / 3600 * float(told["price"])) > 0.006:
        failures.append(f"{compute} USD for {charged} s")
    if abs(total - compute - storage) > 1e-6 or float(told["final_cost"]) != total:
        failures.append(f"{total} is not {compute} + {storage}")
    if (storage > 0) != (told["status"] == "completed"):
        failures.append(f"{storage} USD storage for a job that {told['status']}")
    return failures

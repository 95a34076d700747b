"""The order in which queued jobs start, and their expected start times."""

import heapq
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A queued job. `queued_at` is the sort key, `seconds` its expected run time.

    An `interrupted` job had started and lost its machine: it goes first.
    """

    id: Hashable
    user: Hashable
    priority: int
    queued_at: float
    gpu_type: str
    gpu_count: int
    seconds: float = 0.0
    interrupted: bool = False


@dataclass(slots=True)
class Share:
    """A user's GPUs in use, and the time their last job started."""

    gpus: int = 0
    last_start: float = float("-inf")


def fair_order(
    waiting: Iterable[Waiting], shares: Mapping[Hashable, Share] | None = None
) -> list[Waiting]:
    """High priority before normal before low; within a priority, users take turns.

    The next turn goes to the user with the fewest GPUs in use, then to the one whose
    last start is longest ago, then to the one who has waited longest. A user's own jobs
    go by age. Placing a job counts its GPUs as in use, so the list is what will happen
    if nothing else changes.
    """
    tiers: dict[tuple[int, bool], list[Waiting]] = defaultdict(list)
    for job in waiting:
        tiers[job.priority, job.interrupted].append(job)
    given = {user: Share(s.gpus, s.last_start) for user, s in (shares or {}).items()}
    placed: list[Waiting] = []
    now = max((share.last_start for share in given.values()), default=0.0)
    for tier in sorted(tiers, reverse=True):
        placed += _turns(tiers[tier], given, max(now, 0.0) + len(placed))
    return placed


def _turns(
    jobs: list[Waiting], given: dict[Hashable, Share], clock: float
) -> list[Waiting]:
    """Round-robin within one priority, in O(n log n): a heap with an entry per user."""
    lines: dict[Hashable, list[Waiting]] = defaultdict(list)
    for job in sorted(jobs, key=_age, reverse=True):
        lines[job.user].append(job)

    def turn(user: Hashable) -> tuple[Any, ...]:
        share = given.setdefault(user, Share())
        return share.gpus, share.last_start, *_age(lines[user][-1])

    heap = [(turn(user), n, user) for n, user in enumerate(lines)]
    heapq.heapify(heap)
    placed: list[Waiting] = []
    while heap:
        _, n, user = heap[0]
        job = lines[user].pop()
        placed.append(job)
        given[user].gpus += job.gpu_count
        given[user].last_start = clock + len(placed)
        if lines[user]:
            heapq.heapreplace(heap, (turn(user), n, user))
        else:
            heapq.heappop(heap)
    return placed


def _age(job: Waiting) -> tuple[float, str]:
    return job.queued_at, str(job.id)


def expected_starts(
    order: Sequence[Waiting], free_in: Mapping[str, Sequence[float]]
) -> dict[Hashable, float]:
    """Seconds until each job starts; jobs that fit on no machine are left out.

    `free_in` holds for each GPU type the seconds until each of its devices is free. A
    job takes the devices that become free first; jobs of its type do not overtake it,
    as in the reconciler. Known error: the summed errors of the durations ahead.
    """
    devices = {name: sorted(seconds) for name, seconds in free_in.items()}
    floor: dict[str, float] = defaultdict(float)
    starts: dict[Hashable, float] = {}
    for job in order:
        own = devices.get(job.gpu_type, [])
        if not 0 < job.gpu_count <= len(own):
            continue
        start = max(own[job.gpu_count - 1], floor[job.gpu_type])
        floor[job.gpu_type] = starts[job.id] = start
        busy = [start + job.seconds] * job.gpu_count
        devices[job.gpu_type] = sorted(busy + own[job.gpu_count :])
    return starts

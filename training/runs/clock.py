"""Time that passed, by clocks that nobody can set.

The wall clock jumps: somebody sets it, NTP corrects it, a machine wakes up. What a run
is charged and how long it may be silent is measured by monotonic clocks: the trainer's,
which it tells with every report, and this machine's, which all its processes share
until it is restarted. An attempt is charged the lesser of the two sums.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.utils import timezone

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MOVED_SECONDS = 30.0

Clocks = Mapping[str, Any]
"""What an attempt keeps: `wall`, `boot` and `at`, the machine's clocks at the last
report, and `progress` at the last news; `told` and `told_progress`, the trainer's;
`told_total` and `own_total`, the seconds by either; `counted`, those charged; `moved`,
by how much the wall clock was set meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Now: on the wall, and in seconds since this machine was started as `boot`."""

    wall: datetime
    boot: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Seconds to charge since the last report, and those that the wall clock jumped."""

    seconds: float
    moved: float
    clocks: dict[str, Any]


def now() -> Moment:
    """The present by both clocks of this machine."""
    return Moment(wall=timezone.now(), boot=_boot(), at=time.monotonic())


@cache
def _boot() -> str:
    """Which start of the machine it is; empty where it does not say."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def steady_since(clocks: Clocks, name: str, moment: Moment) -> float | None:
    """Seconds since the reading `name`, which no setting of the clock changes.

    None if there is none, or the machine was started anew since.
    """
    if not moment.boot or clocks.get("boot") != moment.boot or name not in clocks:
        return None
    return max(float(moment.at - clocks[name]), 0.0)


def begun(clocks: Clocks, moment: Moment, told: float | None) -> dict[str, Any]:
    """The readings at a report from which nothing is charged yet."""
    known = {"boot": moment.boot, "at": moment.at, "told": told}
    return {**clocks, **known, "wall": moment.wall.isoformat()}


def passed(
    clocks: Clocks, since: datetime, moment: Moment, told: float | None
) -> Passed:
    """What passed since the last report, at `since` on the wall.

    By the trainer, if it told its clock both times, but never more than by our own:
    the monotonic one, and the wall clock only over a restart of the machine, or where
    an older program took the last report and kept no reading.
    """
    wall = (moment.wall - since).total_seconds()
    are_of_it = clocks.get("wall") == since.isoformat()
    steady = steady_since(clocks, "at", moment) if are_of_it else None
    own = max(wall, 0.0) if steady is None else steady
    before = clocks.get("told") if are_of_it else None
    trainers = own if told is None or before is None else max(told - before, 0.0)
    own_total = clocks.get("own_total", 0.0) + own
    told_total = clocks.get("told_total", 0.0) + trainers
    counted = clocks.get("counted", 0.0)
    total = max(min(own_total, told_total), counted)
    moved = wall - own if abs(wall - own) > MOVED_SECONDS else 0.0
    return Passed(
        seconds=total - counted,
        moved=moved,
        clocks={
            **begun(clocks, moment, told),
            "own_total": own_total,
            "told_total": told_total,
            "counted": total,
            "moved": clocks.get("moved", 0.0) + moved,
        },
    )


def idle_seconds(clocks: Clocks, moment: Moment) -> float | None:
    """Seconds since the last news, by whichever monotonic clock says less; or None."""
    known = [steady_since(clocks, "progress", moment)]
    told, before = clocks.get("told"), clocks.get("told_progress")
    if told is not None and before is not None:
        known.append(max(float(told - before), 0.0))
    return min((one for one in known if one is not None), default=None)


def moved_forward(clocks: Clocks, since: datetime | None, moment: Moment) -> float:
    """By how many seconds a clock was set forward while the attempt ran: the wall's
    by our monotonic one, or both of ours by the trainer's.
    """
    moved = float(clocks.get("moved", 0.0))
    steady = steady_since(clocks, "at", moment)
    if since is not None and steady is not None:
        wall = (moment.wall - since).total_seconds()
        moved += wall - steady if abs(wall - steady) > MOVED_SECONDS else 0.0
    beyond_the_trainers = clocks.get("own_total", 0.0) - clocks.get("told_total", 0.0)
    return max(moved, float(beyond_the_trainers), 0.0)

"""What row-level security costs: the list query in SQL, and a request's own share.

The same statements run in turn as `lp_web`, with policies, and as the owner of the
tables, whom none binds. Pairs are interleaved, so that other load falls on both alike.
"""

import json
import statistics
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lora_pipeline import row_security
from lora_pipeline.models import User
from training.management.commands.make_jobs import make_jobs
from training.models import TrainingJob

USERS, JOBS_EACH, PAIRS = 100, 2000, 400
MOST = 1.10


@pytest.fixture
def user(db) -> User:
    """One of many users, each with so many jobs."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE none")
        users = [make_jobs(f"bench-{n}", JOBS_EACH) for n in range(USERS)]
        cursor.execute("ANALYZE training_jobs; ANALYZE datasets")
    return users[USERS // 2]


def statements(user: User) -> list[str]:
    """What GET /api/jobs asks for, as it asks: how many, one page, its datasets."""
    with CaptureQueriesContext(connection) as asked:
        own = TrainingJob.objects.visible_to(user).listed()
        assert own.count() == JOBS_EACH
        assert len(own[:10]) == 10
    return [one["sql"] for one in asked.captured_queries]


def unbound() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE none")


def sql_ms(statement: str) -> tuple[float, float]:
    """Planning and execution, as the server measures them.

    Without timing and buffers by node, which would cost more than what is measured.
    """
    options = "ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {statement.replace('%', '%%')}", [])
        ((plan,),) = cursor.fetchall()
    found = plan if isinstance(plan, list) else json.loads(plan)
    return found[0]["Planning Time"], found[0]["Execution Time"]


def in_turn(
    statement: str, enter: tuple[Callable[[], None], Callable[[], None]]
) -> list[list[tuple[float, float]]]:
    seen: list[list[tuple[float, float]]] = [[], []]
    for pair in range(PAIRS):
        for side in (0, 1) if pair % 2 else (1, 0):
            enter[side]()
            seen[side].append(sql_ms(statement))
    return seen


def median(values: list[float]) -> float:
    return statistics.median(values)


def test_the_list_costs_at_most_a_tenth_more_sql_time(user):
    ways = (unbound, lambda: row_security.act_for(user.pk))
    whole = {"execution": [0.0, 0.0], "planning": [0.0, 0.0]}
    for statement in statements(user):
        seen = in_turn(statement, ways)
        for side in (0, 1):
            whole["planning"][side] += median([p for p, _ in seen[side]])
            whole["execution"][side] += median([e for _, e in seen[side]])
        shown = [median([e for _, e in side]) for side in seen]
        print(f"\n{shown[0]:.3f} ms without, {shown[1]:.3f} with: {statement[:30]}…")
    row_security.reset()
    for name, (without, with_) in whole.items():
        print(
            f"list of {JOBS_EACH} among {USERS * JOBS_EACH:,} jobs, {name}: "
            f"{without:.3f} ms without, {with_:.3f} ms with row security: "
            f"{100 * (with_ / without - 1):+.1f} %"
        )
    total = [sum(times[side] for times in whole.values()) for side in (0, 1)]
    print(f"planning and execution: {100 * (total[1] / total[0] - 1):+.1f} %")
    without, with_ = whole["execution"]
    assert with_ <= without * MOST


def test_what_a_request_pays_for_being_told_whose_rows_it_sees(user):
    seconds = []
    for _ in range(1000):
        began = time.perf_counter()
        row_security.act_for(user.pk)
        row_security.reset()
        seconds.append(time.perf_counter() - began)
    print(f"\nper request: {median(seconds) * 1000:.3f} ms (set before, reset after)")
    assert median(seconds) < 0.05

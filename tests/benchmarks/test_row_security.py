"""What row-level security costs: the list query in SQL, and a request's own share.

The same statements run in turn as `lp_web`, with policies, and as the owner of the
tables, whom none binds. Pairs are interleaved, so that other load falls on both alike.
"""

import json
import statistics
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lora_pipeline.models import User
from lora_pipeline.postgres import row_security
from tests.acting import act_for
from tests.benchmarks.make_jobs import make_jobs
from training.models import TrainingJob

USERS, JOBS_EACH, PAIRS, TIMES = 100, 2000, 200, 50
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


def prepare_loop(number: int, statement: str) -> None:
    """A function that carries the statement out so many times, rows fetched."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION pg_temp.run_{number}(times int) RETURNS float AS $run$"
            " DECLARE began timestamptz := clock_timestamp(); one record; BEGIN"
            f" FOR i IN 1..times LOOP FOR one IN {statement.replace('%', '%%')}"
            " LOOP END LOOP; END LOOP;"
            " RETURN 1000 * extract(epoch FROM clock_timestamp() - began) / times;"
            " END $run$ LANGUAGE plpgsql",
            [],
        )


def loop_ms(number: int) -> float:
    """One execution as it is: nothing is counted inside, nothing travels."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_temp.run_{number}({TIMES})")
        return float(cursor.fetchone()[0])


def trip_ms(statement: str) -> float:
    """What the console waits: there, planned, carried out, and the rows back."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%", "%%"), [])
        cursor.fetchall()
    return 1000 * (time.perf_counter() - began)


def in_turn(number: int, statement: str, user: User) -> list[list[tuple[float, ...]]]:
    """Planning, execution, loop and trip, without policies and with them."""
    unbound()
    prepare_loop(number, statement)
    seen: list[list[tuple[float, ...]]] = [[], []]
    ways = (unbound, lambda: act_for(user.pk))
    for pair in range(PAIRS):
        for side in (0, 1) if pair % 2 else (1, 0):
            ways[side]()
            seen[side].append((*sql_ms(statement), loop_ms(number), trip_ms(statement)))
    return seen


def median(values: list[float]) -> float:
    return statistics.median(values)


def test_the_list_costs_at_most_a_tenth_more_sql_time(user):
    """Judged by a loop in the server and by whole trips; EXPLAIN stands beside.

    EXPLAIN counts the rows of every node, so that one node more weighs more there.
    """
    explained = ("planning by EXPLAIN", "execution by EXPLAIN")
    names = (*explained, "execution in a loop", "trips of the console")
    whole = {name: [0.0, 0.0] for name in names}
    for number, statement in enumerate(statements(user)):
        for side, times in enumerate(in_turn(number, statement, user)):
            for name, values in zip(whole, zip(*times, strict=True), strict=True):
                whole[name][side] += median(list(values))
    row_security.reset()
    print(f"\nthe list of {JOBS_EACH} among {USERS * JOBS_EACH:,} jobs, 3 statements")
    for name, (without, with_) in whole.items():
        more = 100 * (with_ / without - 1)
        print(f"{name}: {without:.3f} ms, with row security {with_:.3f}: {more:+.1f} %")
    for name in set(whole) - set(explained):
        without, with_ = whole[name]
        assert with_ <= without * MOST, name


def test_what_a_request_pays_for_being_told_whose_rows_it_sees(user):
    def found_and_seen():
        act_for(user.pk)
        row_security.reset()

    ways = {"only found": lambda: User.objects.get(pk=user.pk), "seen": found_and_seen}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1000):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - began)
    more = median(seconds["seen"]) - median(seconds["only found"])
    print(f"\nper request: {more * 1000:.3f} ms (rows into view, reset after)")
    assert more < 0.005

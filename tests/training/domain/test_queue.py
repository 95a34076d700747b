"""Who starts next: arithmetic by hand."""

from hypothesis import given
from hypothesis import strategies as st

from training.domain.queue import Share, Waiting, expected_starts, fair_order


def waiting(name, user="a", priority=2, at=0.0, count=1, **more):
    return Waiting(
        id=name,
        user=user,
        priority=priority,
        queued_at=at,
        gpu_type="CPU",
        gpu_count=count,
        **more,
    )


def ids(order):
    return [job.id for job in order]


def test_users_take_turns_however_many_jobs_one_queued_first():
    jobs = [waiting(f"a{n}", "a", at=n) for n in range(4)]
    jobs += [waiting("b0", "b", at=10), waiting("b1", "b", at=11)]
    jobs += [waiting("c0", "c", at=20)]
    assert ids(fair_order(jobs)) == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]


def test_the_user_served_last_comes_last():
    jobs = [waiting("a1", "a", at=0), waiting("b0", "b", at=5)]
    shares = {"a": Share(gpus=0, last_start=100.0), "b": Share(gpus=0, last_start=50.0)}
    assert ids(fair_order(jobs, shares)) == ["b0", "a1"]


def test_who_has_fewer_gpus_at_work_comes_first():
    jobs = [waiting("a1", "a", at=0), waiting("b0", "b", at=5)]
    shares = {"a": Share(gpus=1, last_start=1.0), "b": Share(gpus=0, last_start=99.0)}
    assert ids(fair_order(jobs, shares)) == ["b0", "a1"]


def test_priority_goes_before_turns_and_the_interrupted_before_both():
    jobs = [
        waiting("normal", "a", at=0),
        waiting("low", "b", priority=1, at=0),
        waiting("high", "c", priority=3, at=9),
        waiting("interrupted", "c", at=8, interrupted=True),
    ]
    assert ids(fair_order(jobs)) == ["high", "interrupted", "normal", "low"]


def test_expected_starts_add_up_what_stands_before():
    order = [
        waiting("first", seconds=100.0),
        waiting("pair", count=2, seconds=50.0),
        waiting("last", seconds=10.0),
    ]
    starts = expected_starts(order, {"CPU": [0.0, 30.0]})
    # first takes the free one until 100; the pair needs both: at 100; then 150.
    assert starts == {"first": 0.0, "pair": 100.0, "last": 150.0}


def test_what_no_machine_fits_has_no_expected_start():
    assert expected_starts([waiting("x", count=3)], {"CPU": [0.0]}) == {}
    assert expected_starts([waiting("x")], {}) == {}


jobs_of_users = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 50)),
    max_size=40,
)


@given(jobs_of_users)
def test_every_job_is_placed_once_and_no_waiting_user_falls_two_turns_behind(rows):
    jobs = [
        waiting(n, user, priority, at) for n, (user, priority, at) in enumerate(rows)
    ]
    order = fair_order(jobs)
    assert sorted(ids(order)) == list(range(len(jobs)))
    assert [j.priority for j in order] == sorted(
        (j.priority for j in jobs), reverse=True
    )
    only = [job for job in jobs if job.priority == 2]
    started: dict[str, int] = {}
    left = fair_order(only)
    while left:
        job, *left = left
        started[job.user] = started.get(job.user, 0) + 1
        still = {other.user for other in left}
        counts = [started.get(user, 0) for user in still]
        assert not counts or started[job.user] - min(counts) <= 1

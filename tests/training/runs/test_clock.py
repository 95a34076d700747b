"""No cent and no time-out for time that did not pass, whoever sets which clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from tests.factories import TrainingJobFactory
from training.models import JobEvent, RunAttempt
from training.operators import doctor
from training.runs import clock, reconciler
from training.runs.clock import Moment
from training.runs.dispatch import _is_due
from training.runs.protocol.ingest import take_events
from training.runs.reconciler import stalled_words

START = Moment(wall=datetime(2026, 11, 28, 12, tzinfo=UTC), boot="one", at=1000.0)
HOURS = 3 * 3600.0


def later(moment: Moment, seconds: float, *, wall: float = 0.0, **more) -> Moment:
    """So many seconds on, with the wall clock set by `wall` meanwhile."""
    shown = moment.wall + timedelta(seconds=seconds + wall)
    return replace(moment, wall=shown, at=moment.at + seconds, **more)


def charged(*steps: tuple[Moment, float | None]) -> float:
    """Seconds charged over reports at these moments, each with the trainer's clock."""
    (moment, told), *others = steps
    clocks, total = clock.begun({}, moment, told), 0.0
    for following, told in others:
        passed = clock.passed(clocks, moment.wall, following, told)
        clocks, total, moment = passed.clocks, total + passed.seconds, following
    return total


@pytest.mark.parametrize("wall", [HOURS, -HOURS, 40.0, -40.0])
def test_a_clock_that_is_set_costs_nothing(wall):
    jumped = later(START, 5, wall=wall)
    reports = [(START, 1.0), (jumped, 6.0), (later(jumped, 5), 11.0)]
    assert charged(*reports) == pytest.approx(10)
    assert charged(*[(moment, None) for moment, _ in reports]) == pytest.approx(10)


def test_the_trainer_decides_where_our_machine_was_started_anew_and_set():
    again = later(START, 60, wall=HOURS, boot="two")
    assert charged((START, 1.0), (again, 61.0)) == pytest.approx(60)


def test_a_trainer_cannot_charge_more_than_passed_here():
    assert charged((START, 1.0), (later(START, 5), 1e6)) == pytest.approx(5)


def test_a_machine_that_slept_is_charged_for_when_it_was_awake():
    """The trainer's clock stands still meanwhile, a console elsewhere goes on."""
    woken = later(START, HOURS)
    assert charged((START, 1.0), (woken, 6.0)) == pytest.approx(5)


def test_reports_that_come_late_are_charged_in_full():
    """A delay on the way shortens the next report's time by our clock."""
    reports = [(START, 1.0), (later(START, 8), 6.0), (later(START, 10), 11.0)]
    assert charged(*reports) == pytest.approx(10)


def test_a_trainer_that_was_alone_for_an_hour_is_charged_for_it():
    assert charged((START, 1.0), (later(START, 3600), 3601.0)) == pytest.approx(3600)


def test_a_jump_is_told_and_a_small_correction_is_not():
    clocks = clock.begun({}, START, 1.0)
    jump = clock.passed(clocks, START.wall, later(START, 5, wall=HOURS), 6.0)
    assert jump.moved == pytest.approx(HOURS)
    assert jump.clocks["moved"] == pytest.approx(HOURS)
    slewed = clock.passed(clocks, START.wall, later(START, 5, wall=2.0), 6.0)
    assert slewed.moved == 0


@pytest.fixture
def attempt(db) -> RunAttempt:
    job = TrainingJobFactory(
        status="running", current_stage="training", usd_per_gpu_hour=10, max_cost=1
    )
    return RunAttempt.objects.create(
        job=job, number=1, token_hash="x", started_at=timezone.now()
    )


@pytest.fixture
def time(monkeypatch):
    """The console's clocks, which a test moves."""
    shown = [START]
    monkeypatch.setattr(clock, "now", lambda: shown[0])

    def move(seconds: float, **more) -> Moment:
        shown[0] = later(shown[0], seconds, **more)
        return shown[0]

    return move


def test_no_price_and_no_cap_follows_the_wall_clock(attempt, time):
    """At 10 USD an hour, three hours would have gone thirty times over the cap."""
    take_events(attempt.pk, [], told_seconds=0.0)
    time(5, wall=HOURS)
    answer = take_events(attempt.pk, [], told_seconds=5.0)
    assert answer["cancel"] is False
    attempt.refresh_from_db()
    attempt.job.refresh_from_db()
    assert attempt.running_seconds == pytest.approx(5)
    assert attempt.job.running_seconds == pytest.approx(5)
    assert attempt.job.current_cost < 1
    [event] = JobEvent.objects.filter(job=attempt.job, message__contains="clock")
    assert "+10800 s" in event.message


@pytest.mark.parametrize("wall", [HOURS, -HOURS])
def test_doctor_names_a_clock_that_was_set(attempt, time, wall):
    take_events(attempt.pk, [], told_seconds=0.0)
    assert list(doctor.clocks()) == []
    time(5, wall=wall)
    take_events(attempt.pk, [], told_seconds=5.0)
    [finding] = doctor.clocks()
    assert finding.level == "warning"
    assert f"{wall:+.0f} s" in finding.words
    assert str(attempt.job_id) in finding.words


@pytest.mark.parametrize("wall", [HOURS, -HOURS])
def test_no_run_is_ended_for_a_silence_that_was_none(attempt, time, wall, settings):
    take_events(attempt.pk, [], told_seconds=0.0)
    beat = START.at + 4
    now = time(5, wall=wall)
    attempt.refresh_from_db()
    attempt.launched_at = START.wall
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "training.launchers.local.last_beat_reading", lambda *ids: ("one", beat)
        )
        assert stalled_words(attempt, now.wall) == ""
        attempt.job.cancel_requested_at = START.wall
        assert stalled_words(attempt, now.wall) == ""
        silent = time(settings.RUN_STALLED_SECONDS + 10)
        assert "no heartbeat for" in stalled_words(attempt, silent.wall)


def test_a_retry_that_a_clock_put_off_by_hours_is_due(settings):
    job = TrainingJobFactory.build(retry_at=START.wall)
    assert not _is_due(job, START.wall - timedelta(seconds=5))
    assert _is_due(job, START.wall)
    assert _is_due(job, START.wall - timedelta(seconds=HOURS))


def test_a_silence_counts_once_it_has_held_for_longer_than_a_heartbeat(
    attempt, monkeypatch
):
    """Whatever clock says so: the next report by the new time ends it."""
    clocks = iter([100.0, 105.0, 200.0, 213.0])
    shown = SimpleNamespace(monotonic=lambda: next(clocks))
    monkeypatch.setattr(reconciler, "time", shown)
    assert reconciler._confirmed(attempt, "silent") == ""
    assert reconciler._confirmed(attempt, "silent") == ""
    assert reconciler._confirmed(attempt, "") == ""
    assert reconciler._confirmed(attempt, "silent") == ""
    assert reconciler._confirmed(attempt, "silent") == "silent"


def test_both_our_clocks_set_are_told_apart_by_the_trainers():
    """As libfaketime does, which sets the monotonic one too."""
    clocks = {**clock.begun({}, START, 1.0), "progress": START.at, "told_progress": 1.0}
    both = replace(later(START, 5), wall=START.wall, at=START.at + HOURS)
    passed = clock.passed(clocks, START.wall, both, 6.0)
    assert passed.seconds == pytest.approx(5)
    assert clock.idle_seconds(passed.clocks, both) == pytest.approx(5)
    moved = clock.moved_forward(passed.clocks, both.wall, both)
    assert moved == pytest.approx(HOURS - 5)

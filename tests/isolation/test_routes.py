"""A second user walks every address with the first one's ids, and finds nothing."""

import pytest
from django.db import transaction
from django.urls import Resolver404, resolve

from lora_pipeline.postgres import row_security
from tests.isolation.callers import Answer, Caller
from tests.isolation.routes import (
    PARAMETERS,
    Ask,
    NotCovered,
    fill,
    of_operators,
    open_to_all,
    owned,
    paths,
)
from tests.isolation.world import World, rows_of, snapshot
from tests.openapi import description

NOT_YOURS = {403, 404}
WRONG_METHOD = 405
FOR_MACHINES = {"healthz", "readyz", "metrics"}
OPEN_DOORS = {"sign-in", "password-forgotten", "password-new", *FOR_MACHINES}


def leaks(answer: Answer, ask: Ask, first: World) -> list[str]:
    """What of the first user's is in an answer that the request did not bring."""
    brought = f"{ask.path} {ask.body}".encode()
    said = answer.everything()
    return [s.decode() for s in first.secrets() if s in said and s not in brought]


def neutral(answer: Answer, ids: dict[str, str]) -> Answer:
    """The answer with the ids asked for taken out."""
    body, headers = answer.body, repr(answer.headers)
    for text in sorted(ids.values(), key=len, reverse=True):
        body = body.replace(text.encode(), b"ID")
        headers = headers.replace(text, "ID")
    return Answer(answer.status, (("all", headers),), body)


def told_apart(
    ask: Ask, caller: Caller, first: World, nowhere: dict[str, str]
) -> tuple[Answer, list[str]]:
    """The answer for the first user's id, and how it differs from nobody's id."""
    theirs, nobodys = (ask.for_ids(ids) for ids in (first.ids, nowhere))
    mine = caller.send(theirs)
    faults = [f"{theirs} shows {what}" for what in leaks(mine, theirs, first)]
    if not ask.names_something:
        return mine, faults
    none = caller.send(nobodys)
    if neutral(mine, first.ids) != neutral(none, nowhere):
        faults.append(f"{theirs} and {nobodys} are told apart")
    return mine, faults


def to_sign_in(answer: Answer) -> bool:
    """A key opens no pages: they send it to sign in, whatever is asked."""
    sent_to = dict(answer.headers)
    where = sent_to.get("Location", "") + sent_to.get("HX-Redirect", "")
    return answer.status in {302, 401} and "/sign-in?next=" in where


def is_refused(ask: Ask, answer: Answer, caller: Caller) -> bool:
    if answer.status in NOT_YOURS | {WRONG_METHOD}:
        return True
    if ask.path.startswith("/api/runs/"):
        return answer.status == 401
    if ask.method == "OPTIONS" and ask.is_api:
        return answer.status == 200
    return bool(caller.token) and not ask.is_api and to_sign_in(answer)


def test_nothing_of_the_first_user_is_found_by_its_id(intruder, first, nowhere, web):
    """404 or 403 everywhere, by the same bytes as for an id that nobody has.

    405 is for a method that the address does not know, 401 for a token that opens no
    run. OPTIONS tells the methods of an address without looking at what it names.
    """
    with row_security.operator():
        before = rows_of(first, snapshot())
    faults, reached = [], set()
    for ask in owned():
        answer, found = told_apart(ask, intruder, first, nowhere)
        faults += found
        if not is_refused(ask, answer, intruder):
            faults.append(f"{ask} answers {answer.status}")
        if answer.status != WRONG_METHOD:
            reached.add(ask.name)
    assert faults == []
    assert reached == {ask.name for ask in owned()}
    with row_security.operator():
        assert rows_of(first, snapshot()) == before


def test_lists_and_forms_hold_nothing_of_the_first_user(intruder, first, nowhere, web):
    with row_security.operator():
        before = rows_of(first, snapshot())
    faults = []
    for ask in open_to_all():
        answer, found = told_apart(ask, intruder, first, nowhere)
        faults += found
        if answer.status >= 500 and ask.name not in FOR_MACHINES:
            faults.append(f"{ask} answers {answer.status}")
    assert faults == []
    with row_security.operator():
        assert rows_of(first, snapshot()) == before


def test_the_owner_reaches_what_the_walk_asks_for(first, web):
    """Else the walk would prove nothing: its ids and bodies are the right ones."""
    caller, key = Caller(user=first.user), Caller(token=first.key)
    run = Caller(token=first.run_token)
    reached: set[str] = set()
    for ask in owned():
        who = (
            run if ask.path.startswith("/api/runs/") else key if ask.is_api else caller
        )
        with transaction.atomic():
            answer = who.send(ask.for_ids(first.ids))
            transaction.set_rollback(True)
        if ask.method != "OPTIONS" and answer.status not in {401, 403, 404, 405}:
            reached.add(ask.name)
    assert {ask.name for ask in owned()} - reached == set()


def test_the_first_user_sees_the_word_that_the_walk_looks_for(first, web):
    caller = Caller(user=first.user)
    seen = {
        ask.name
        for ask in open_to_all()
        if first.word.encode() in caller.send(ask.for_ids(first.ids)).body
    }
    assert {"home", "keys", "datasets", "jobs", "jobs-live", "notifications"} <= seen
    assert {"deliveries", "adapters", "compare", "costs", "costs-csv"} <= seen
    assert {
        "api-job-list",
        "api-dataset-list",
        "api-adapter-list",
        "api-webhook-list",
    } <= seen


def test_nobody_finds_anything_without_signing_in(first, web):
    caller, faults = Caller(), []
    for ask in (*owned(), *open_to_all(), *of_operators()):
        asked = ask.for_ids(first.ids)
        answer = caller.send(asked)
        faults += [f"{asked} shows {what}" for what in leaks(answer, asked, first)]
        if answer.status not in {401, 403, 404, 405} and not to_sign_in(answer):
            faults += [f"{asked} answers {answer.status}"] * (
                ask.name not in OPEN_DOORS
            )
    assert faults == []


def test_the_admin_is_closed_to_a_user_who_is_no_operator(second, first, web):
    caller, faults = Caller(user=second.user), []
    for ask in of_operators():
        asked = ask.for_ids(first.ids)
        answer = caller.send(asked)
        faults += [f"{asked} shows {what}" for what in leaks(answer, asked, first)]
        if answer.status not in NOT_YOURS:
            faults.append(f"{asked} answers {answer.status}")
    assert faults == []


def test_an_operator_sees_only_own_things_outside_the_admin(second, first, web):
    with row_security.operator():
        type(second.user).objects.filter(pk=second.user.pk).update(is_staff=True)
        second.user.refresh_from_db()
    caller, faults = Caller(user=second.user), []
    for ask in (*owned(), *open_to_all()):
        asked = ask.for_ids(first.ids)
        if ask.method == "GET":
            faults += leaks(caller.send(asked), asked, first)
    assert faults == []


def test_another_runs_token_opens_no_run(second, first, nowhere, web):
    caller, faults = Caller(token=second.run_token), []
    for ask in owned():
        if ask.path.startswith("/api/runs/"):
            answer, found = told_apart(ask, caller, first, nowhere)
            faults += found
            if answer.status not in NOT_YOURS | {WRONG_METHOD}:
                faults.append(f"{ask} answers {answer.status}")
    assert faults == []


def test_every_operation_of_the_description_is_walked(first):
    """Each is an address and a method of the walk, with parameters that it fills."""
    walked = {(ask.name, ask.method) for ask in (*owned(), *open_to_all())}
    missing = []
    for template, operations in description()["paths"].items():
        for path in paths(as_pattern(template)):
            name = resolve(path.format(**first.ids)).url_name
            missing += [
                f"{method.upper()} {template}: add it to OPEN, as {name!r}"
                for method in operations
                if (name, method.upper()) not in walked
            ]
    assert missing == []


def as_pattern(template: str) -> str:
    """`/api/jobs/{id}` as the URL map writes it; there the id may be called pk."""
    for folder, name in PARAMETERS:
        if name == "pk":
            template = template.replace(f"/{folder}/{{id}}", f"/{folder}/<uuid:pk>")
    return template.replace("{", "<uuid:").replace("}", ">")


def test_an_address_that_the_walk_does_not_know_is_told(monkeypatch):
    with pytest.raises(NotCovered, match="PARAMETERS"):
        fill("jobs", "secret_id", "jobs/<uuid:secret_id>")
    monkeypatch.setattr("tests.isolation.routes.OPEN", {})
    with pytest.raises(NotCovered, match="OPEN"):
        open_to_all()


def test_a_path_that_leads_nowhere_is_the_same_404(intruder, web):
    with pytest.raises(Resolver404):
        resolve("/api/secrets")
    assert intruder.send(Ask(name="", method="GET", path="/api/secrets")).status == 404

"""Many users at once over reused connections: nobody is answered with others' rows."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.isolation.server import Server

USERS, THREADS, REQUESTS = 8, 16, 2000
PREPARE = """
import json
from django.test import Client
from tests.isolation.world import build
made = []
for word in {words!r}:
    world, browser = build(word), Client()
    browser.force_login(world.user)
    cookie = "; ".join(f"{{n}}={{m.value}}" for n, m in browser.cookies.items())
    made.append({{"word": word, "key": world.key, "ids": world.ids, "cookie": cookie}})
print(json.dumps(made))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    word: str
    key: str
    ids: dict[str, str]
    cookie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked, and what a right answer to it is."""

    method: str
    path: str
    status: int
    shows: bool
    body: Any = None
    by_session: bool = False


NAME_OF_FILTER = """
import json
from django.db.models import QuerySet
print(json.dumps(QuerySet._filter_or_exclude.__name__))
"""
UNFILTERED = {"DJANGO_SETTINGS_MODULE": "tests.isolation.unfiltered_settings"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({}, id="as it is"),
        pytest.param(UNFILTERED, id="without owner filters"),
    ],
)
def server(request, tmp_path_factory):
    """The second one keeps users apart by row-level security alone."""
    made = Server(tmp_path_factory.mktemp("server"), **request.param)
    made.start()
    if request.param:
        assert made.shell(NAME_OF_FILTER) == "of_all_users"
    yield made
    made.stop()


@pytest.fixture(scope="module")
def people(server: Server) -> list[Person]:
    words = [f"Quagga{chr(65 + number)}x" for number in range(USERS)]
    return [Person(**found) for found in server.shell(PREPARE.format(words=words))]


def ask(method: str, path: str, status: int = 200, **more: Any) -> Request:
    by_session = not path.startswith("/api/")
    shows = more.pop("shows", status == 200)
    return Request(
        method=method, path=path, status=status, shows=shows, by_session=by_session,
        **more,
    )  # fmt: skip


def estimate(dataset: str) -> dict[str, Any]:
    values = {"batch_size": 4, "epochs": 3, "learning_rate": 5e-5, "rank": 16}
    gpu = {"type": "A100-80GB", "count": 1}
    return {"dataset_id": dataset, "gpu_config": gpu, "hyperparameters": values}


def mixture(me: Person, other: Person) -> list[Callable[[], Request]]:
    """What a user does: lists, things of their own, things of others, writes."""
    mine, theirs = me.ids, other.ids
    return [
        lambda: ask("GET", "/api/jobs?limit=100"),
        lambda: ask("GET", "/api/datasets"),
        lambda: ask("GET", "/api/adapters"),
        lambda: ask("GET", "/api/notifications"),
        lambda: ask("GET", "/api/webhooks"),
        lambda: ask("GET", "/api/deliveries"),
        lambda: ask("GET", f"/api/jobs/{mine['done_job']}"),
        lambda: ask("GET", f"/api/datasets/{mine['dataset']}/examples"),
        lambda: ask("GET", f"/api/datasets/{mine['dataset']}/original"),
        lambda: ask("GET", f"/api/adapters/{mine['adapter']}/download"),
        lambda: ask("GET", f"/api/jobs/{theirs['done_job']}", 404),
        lambda: ask("GET", f"/api/datasets/{theirs['dataset']}/original", 404),
        lambda: ask("GET", f"/api/adapters/{theirs['adapter']}/download", 404),
        lambda: ask("POST", f"/api/notifications/{theirs['notice']}/read", 404),
        lambda: ask(
            "PATCH",
            f"/api/jobs/{mine['queued_job']}",
            body={"name": f"{me.word} {random.random()}"},
        ),
        lambda: ask(
            "PATCH",
            f"/api/jobs/{theirs['queued_job']}",
            404,
            body={"name": f"taken by {me.word}"},
        ),
        lambda: ask("POST", "/api/jobs/estimate", body=estimate(mine["dataset"])),
        lambda: ask(
            "POST", "/api/jobs/estimate", 404, body=estimate(theirs["dataset"])
        ),
        lambda: ask("GET", "/"),
        lambda: ask("GET", "/training/jobs"),
        lambda: ask("GET", "/datasets"),
        lambda: ask("GET", "/keys"),
        lambda: ask("GET", "/costs"),
        lambda: ask("GET", f"/training/jobs/{mine['running_job']}"),
        lambda: ask("GET", f"/training/jobs/{theirs['running_job']}", 404, shows=False),
        lambda: ask("GET", f"/datasets/{theirs['dataset']}", 404, shows=False),
        lambda: ask("GET", "/api/gpus", shows=False),
        lambda: ask("GET", "/nothing", 404, shows=False),
    ]


class Asking(threading.local):
    """One connection a thread, for all users by turns."""

    connection: http.client.HTTPConnection | None = None


def faults_of(
    asking: Asking, port: int, people: list[Person], number: int
) -> list[str]:
    """Send one request of one user; what is wrong with the answer, in words."""
    draw = random.Random(number)
    me, other = draw.sample(people, 2)
    request = draw.choice(mixture(me, other))()
    if asking.connection is None:
        asking.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = None if request.body is None else json.dumps(request.body)
    headers = {"Content-Type": "application/json"} if body else {}
    if request.by_session:
        headers["Cookie"] = me.cookie
    else:
        headers["Authorization"] = f"Bearer {me.key}"
    asking.connection.request(request.method, request.path, body, headers)
    answer = asking.connection.getresponse()
    said = answer.read().decode()
    return [
        f"{request.method} {request.path} as {me.word}: {fault}"
        for fault in wrong(request, answer.status, said, me, people)
    ]


def wrong(
    request: Request, status: int, said: str, me: Person, people: list[Person]
) -> list[str]:
    """Everything in an answer that is not the asker's, or that is missing."""
    found = [f"answered {status}"] * (status != request.status)
    if request.shows and me.word not in said:
        found.append("nothing of their own")
    for other in people:
        if other is not me:
            marks = [other.word, *(v for v in other.ids.values() if len(v) > 20)]
            found += [
                f"shows {m}" for m in marks if m in said and m not in request.path
            ]
    return found


@pytest.mark.long
def test_2000_mixed_requests_of_8_users_over_16_threads_show_no_wrong_row(
    server, people
):
    asking, began = Asking(), time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        faults = pool.map(
            lambda number: faults_of(asking, server.port, people, number),
            range(REQUESTS),
        )
        found = [fault for each in faults for fault in each]
    print(f"{REQUESTS} requests in {time.monotonic() - began:.1f} s")
    assert found == []

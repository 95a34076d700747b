"""Nobody's body is read before the console knows who asks."""

import uuid

import pytest
from django.test import Client

from tests.isolation.routes import paths, url_map

WRONG = {
    "nothing": {},
    "an unknown key": {"HTTP_AUTHORIZATION": "Bearer lp_unknown"},
    "an unknown session": {"HTTP_COOKIE": "sessionid=unknown"},
    "a forgery cookie alone": {"HTTP_COOKIE": "csrftoken=" + "a" * 32},
}
KINDS = [
    "application/json",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
]
REFUSED = {302, 401, 403, 404, 405, 429}
# Their bodies are who asks; see below.
SIGN_IN = {"/sign-in", "/password/forgotten", "/password/new"}
ANSWERS_ANYBODY = {"/healthz", "/readyz", "/metrics", "/favicon.ico"}


class Unreadable:
    """A body that must not be touched."""

    def read(self, *_):
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


def every_path() -> set[str]:
    class AnyId(dict):
        def __missing__(self, _):
            return str(uuid.uuid4())

    patterns = [pattern for _, pattern in url_map()]
    found = {path.format_map(AnyId()) for p in patterns for path in paths(p)}
    return found - SIGN_IN


@pytest.mark.parametrize("who", WRONG)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_no_door_reads_the_body_of_who_is_not_known(who, method, db):
    client = Client(enforce_csrf_checks=True)
    found = every_path()
    assert len(found) > 100
    for number, path in enumerate(sorted(found)):
        for kind in KINDS:
            client.cookies.clear()
            answer = client.generic(
                method,
                path,
                b"x",
                kind,
                **{"wsgi.input": Unreadable(), "CONTENT_LENGTH": "9000"},
                **WRONG[who],
                # So many requests as one address would be refused for their number.
                REMOTE_ADDR=f"10.0.{number // 200}.{number % 200}",
            )
            if path not in ANSWERS_ANYBODY:
                assert answer.status_code in REFUSED, (method, path, kind)


@pytest.mark.parametrize("path", sorted(SIGN_IN | {"/admin/login/"}))
def test_a_sign_in_has_a_small_body(path, db):
    """It is read before anybody is known, so all of it comes before a thread does."""
    body = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "16385"}
    answer = Client().generic("POST", path, b"x", KINDS[2], **body)
    assert answer.status_code == 413

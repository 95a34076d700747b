"""Bytes that no good client sends: always a 4xx in the envelope, never our fault."""

import json

import pytest
from rest_framework.test import APIClient

from tests.training.jobs.contract import (
    CANCEL,
    ENDPOINTS,
    ESTIMATE,
    LIST,
    data_for,
    rows,
)


@pytest.mark.parametrize("name", ["estimate", "create"])
@pytest.mark.parametrize(
    "text",
    ["{", "", "[]", "null", "1", '"a"', "{'a': 1}", "NaN", "[" * 9999, "\xff\xfe"],
)
def test_a_body_that_is_no_json_object_gets_400(name, text, caller):
    path = ENDPOINTS[name].path
    answer = caller.post(
        path, text.encode("latin-1"), content_type="application/json; charset=utf-16"
    )
    ENDPOINTS[name].refused(answer, 400)


@pytest.mark.parametrize("name", ["estimate", "create"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gpu_config", {"type": "CPU", "count": 2}),
        ("gpu_config", {"type": "\0", "count": 1}),
        ("gpu_config", {"type": "\ud800", "count": 1}),
        ("gpu_config", {"type": "x" * 100_000, "count": 1}),
        ("gpu_config", {"type": " CPU", "count": 1}),
        ("gpu_config", {"type": 1, "count": 1}),
        ("gpu_config", [1]),
        ("base_model", "\ud800"),
        ("base_model", " "),
        ("base_model", ["a"]),
        ("hyperparameters", {"scheduler": "\ud800"}),
        ("hyperparameters", {"batch_size": 10**400}),
        ("dataset_id", "\0"),
    ],
)
def test_hostile_values_get_400_at_their_field_in_few_words(
    name, field, value, caller, full
):
    error = ENDPOINTS[name].refused(
        ENDPOINTS[name].call(caller, data=full | {field: value}), 400
    )
    assert any(key.startswith(field) for key in error["details"])
    assert len(str(error)) < 2000


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e400", "9" * 5000])
def test_numbers_beyond_all_numbers_get_400(number, caller, full):
    text = json.dumps(full).replace('"rank": 16', f'"rank": {number}')
    answer = caller.post(ESTIMATE.path, text, content_type="application/json")
    ESTIMATE.refused(answer, 400)


def test_a_query_with_a_thousand_names_is_refused_not_a_fault_of_ours(caller):
    query = "&".join(f"a{n}=1" for n in range(1200))
    LIST.refused(LIST.call(caller, query=f"?{query}"), 400)


@rows(401)
@pytest.mark.parametrize("cookie", ["expired0123456789", '"\\000bcdefgh"', "é" * 9])
def test_a_cookie_that_is_no_session_gets_401(endpoint, cookie, full, job):
    client = APIClient()
    client.cookies["sessionid"] = cookie
    answer = endpoint.call(client, data=data_for(endpoint, full), job=job.pk)
    endpoint.refused(answer, 401)


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/jobs/", "/api//jobs"])
def test_an_unknown_address_is_a_404_in_the_envelope(path, caller):
    answer = caller.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_malformed_host_is_a_400_in_the_envelope(caller):
    answer = caller.get("/api/jobs", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_malformed_form_where_none_is_wanted_is_refused_by_session(session, job):
    answer = session.post(
        CANCEL.path.replace("{id}", str(job.pk)),
        b"--x",
        content_type="multipart/form-data",
    )
    assert (answer.status_code, answer.json()["code"]) == (
        415,
        "unsupported_media_type",
    )


@pytest.mark.parametrize("accept", ["text/html", "application/zip", "x", ";;"])
def test_any_accept_header_gets_json(accept, caller):
    assert LIST.call(caller, headers={"Accept": accept}).json()["success"] is True


def test_a_count_written_as_1_0_is_1_also_beside_a_micro_batch(caller, full):
    full["gpu_config"] = {"type": "A100-80GB", "count": 1.0}
    full["hyperparameters"] |= {"micro_batch": 2}
    answer = caller.post("/api/jobs/estimate", full, format="json")
    assert answer.status_code == 200, answer.content

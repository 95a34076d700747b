"""DATABASE_URL as operators write it, and what is said of one that cannot be read."""

import pytest

from lora_pipeline.env import BadSetting
from lora_pipeline.settings.database_url import parse

SECRETS = ("Tr0ub", "4dor", "hunter")
NOT_ENCODED = [f"Tr0ub{sign}-4dor" for sign in "@/?#% "]


def test_what_a_url_says_arrives():
    url = (
        "postgres://ada:p%40ss%2F%23@one.example:6432/con%20sole"
        "?options=-c%20work_mem%3D7MB&sslmode=verify-full&sslrootcert=/etc/pg.pem"
    )
    found = parse(url)
    assert (found["HOST"], found["PORT"]) == ("one.example", "6432")
    assert (found["NAME"], found["USER"]) == ("con sole", "ada")
    assert found["PASSWORD"] == "p@ss/#"
    options = found["OPTIONS"]
    assert options["options"] == "-c work_mem=7MB"
    assert options["sslmode"] == "verify-full"
    assert options["sslrootcert"] == "/etc/pg.pem"
    assert options["connect_timeout"] == "10"
    assert parse(f"{url}&connect_timeout=3")["OPTIONS"]["connect_timeout"] == "3"


def test_hosts_for_failover_keep_their_ports():
    found = parse("postgresql://u:p@one:5433,two,[::1]:5434/db")
    assert (found["HOST"], found["PORT"]) == ("one,two,::1", "5433,,5434")
    assert found["OPTIONS"]["target_session_attrs"] == "read-write"
    assert "target_session_attrs" not in parse("postgres://u@one/db")["OPTIONS"]


def test_a_socket_may_stand_in_the_host_or_behind_it():
    assert parse("postgres:///db?host=/run/pg&user=ada")["HOST"] == "/run/pg"
    assert parse("postgres://ada@%2Frun%2Fpg/db")["HOST"] == "/run/pg"


@pytest.mark.parametrize("password", NOT_ENCODED)
def test_a_password_that_is_not_encoded_is_asked_for_and_not_shown(password):
    with pytest.raises(BadSetting) as refused:
        parse(f"postgres://ada:{password}@one.example/db")
    said = str(refused.value)
    assert "percent-encode" in said
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://ada:hunter@one:70000/db", "percent-encode"),
        ("postgres://ada:hunter/db", "percent-encode"),
        ("postgres://ada:hunter@one", "HOST:PORT/NAME"),
        ("postgres://ada:hunter@one/", "the name of the database is missing"),
        ("postgres://ada:hunter@one:a,two/db", "HOST1:PORT,HOST2:PORT"),
        ("postgres://ada:hunter@one/db?ssl=true", "sslmode=…"),
        ("postgres://ada:hunter@one/db?target_sesion_attrs=any", "target_session"),
        ("postgres://ada:hunter@one/db?sslmode=on", "verify-ca or verify-full"),
        ("mysql://ada:hunter@one/db", "postgres://USER"),
        ("hunter", "postgres://USER"),
    ],
)
def test_any_other_fault_is_named_without_what_was_given(url, words):
    with pytest.raises(BadSetting) as refused:
        parse(url)
    assert words in str(refused.value)
    assert "hunter" not in str(refused.value)

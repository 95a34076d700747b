"""The list of notices, opening one, marking as read."""

from uuid import uuid4

import pytest
from django.test import Client

from notifications.models import Notification
from notifications.services import notify

HTMX = {"HX-Request": "true"}


@pytest.fixture
def make(owner):
    def notice(**fields):
        values = {"type": "job_queued", "title": "Queued", "message": "A job waits."}
        return notify(user_id=owner.pk, **values | fields)

    return notice


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


def page_of(browser, query: str = "") -> str:
    answer = browser.get(f"/notifications{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_bell_counts_what_is_unread(make, browser_of_owner):
    make()
    make()
    assert '<span class="count">2<' in page_of(browser_of_owner)
    Notification.objects.update(read=True)
    assert "no unread notifications" in page_of(browser_of_owner)


def test_unread_ones_are_told_by_word_and_look(make, browser_of_owner):
    notice = make()
    page = page_of(browser_of_owner)
    assert f'class="notice-row unread" id="notice-{notice.pk}"' in page
    assert "<span>New</span>" in page
    assert "<span>Read</span>" not in page


def test_what_is_important_says_so(make, browser_of_owner):
    make(priority="high")
    assert "Important" in page_of(browser_of_owner)


def test_only_the_unread_ones_can_be_shown(make, browser_of_owner):
    make(message="an old one")
    Notification.objects.update(read=True)
    make(message="a new one")
    page = page_of(browser_of_owner, "?read=false")
    assert "a new one" in page
    assert "an old one" not in page
    assert "an old one" in page_of(browser_of_owner, "?read=nonsense")


def test_empty_lists_say_what_would_be_there(make, browser_of_owner):
    assert "No notifications yet" in page_of(browser_of_owner)
    make()
    Notification.objects.update(read=True)
    assert "No unread notifications" in page_of(browser_of_owner, "?read=false")


def test_opening_one_marks_it_and_goes_where_it_leads(make, browser_of_owner):
    notice = make(action_url="/training/jobs")
    answer = browser_of_owner.get(f"/notifications/{notice.pk}")
    assert (answer.status_code, answer.url) == (302, "/training/jobs")
    notice.refresh_from_db()
    assert notice.read


@pytest.mark.parametrize("address", ["", "https://elsewhere.example/", "//elsewhere"])
def test_no_notice_leads_out_of_the_console(address, make, browser_of_owner):
    notice = make(action_url=address)
    answer = browser_of_owner.get(f"/notifications/{notice.pk}")
    assert answer.url == "/notifications"


def test_marking_one_without_script_returns_to_the_same_list(make, browser_of_owner):
    notice = make()
    path = f"/notifications/{notice.pk}/read?read=false&page=1"
    answer = browser_of_owner.post(path)
    assert answer.url == "/notifications?read=false&page=1"
    notice.refresh_from_db()
    assert notice.read


def test_marking_one_by_htmx_brings_its_row_and_the_bell(make, browser_of_owner):
    notice, _ = make(), make()
    path = f"/notifications/{notice.pk}/read"
    part = browser_of_owner.post(path, headers=HTMX).content.decode()
    assert f'<li class="notice-row" id="notice-{notice.pk}">' in part
    assert "<span>Read</span>" in part
    assert 'id="unread" hx-swap-oob="true"><span class="count">1<' in part


def test_marking_all_spares_those_of_others(make, stranger, browser_of_owner):
    make()
    other = notify(user_id=stranger.pk, type="x", title="Theirs", message="")
    page = browser_of_owner.post("/notifications/read-all", follow=True)
    assert "1 notification marked as read." in page.content.decode()
    other.refresh_from_db()
    assert not other.read
    assert list(Notification.objects.values_list("read", flat=True)) == [False, True]


def test_a_stranger_finds_nothing(make, browser_of_stranger):
    notice = make(message="secret")
    assert "secret" not in page_of(browser_of_stranger)
    for path in (f"/notifications/{notice.pk}", f"/notifications/{uuid4()}"):
        assert browser_of_stranger.get(path).status_code == 404
        assert browser_of_stranger.post(f"{path}/read").status_code == 404
    notice.refresh_from_db()
    assert not notice.read


def test_the_list_costs_at_most_seven_queries(
    make, browser_of_owner, django_assert_max_num_queries
):
    for _ in range(25):
        make()
    with django_assert_max_num_queries(7):
        assert page_of(browser_of_owner).count('class="notice-row') == 20

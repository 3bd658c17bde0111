import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from accounts import rates
from core import hints
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db
RIGHT = {"username": "alice", "password": "x"}


@pytest.fixture
def browser():
    """A client that CSRF is enforced for."""
    return Client(enforce_csrf_checks=True)


def begin(browser):
    """What a page sends along, after it has asked who is there."""
    return {"X-CSRFToken": browser.get("/api/session").json()["csrfToken"]}


def log_in(browser, body=RIGHT):
    return browser.post("/api/session", body, content_type="application/json", headers=begin(browser))


def test_nobody_is_told_that_they_are_nobody(browser):
    told = browser.get("/api/session")

    assert told.json()["user"] is None
    assert told.json()["scopes"] == []
    assert told["Cache-Control"] == "no-store"


def test_whoever_logs_in_may_do_what_a_key_may(browser, alice):
    told = log_in(browser).json()

    assert told["user"] == {"userId": str(alice.pk), "name": "alice", "isStaff": False}
    assert told["scopes"] == ["account", "flows", "keys", "live", "prices", "publish", "read", "run", "secrets"]
    assert browser.get("/api/runs").status_code == 200
    assert browser.get("/api/session").json()["user"] == told["user"]


def test_logging_in_gives_the_session_and_the_csrf_token_anew(browser, alice):
    before = begin(browser)
    log_in(browser)
    first = browser.cookies["sessionid"].value

    again = log_in(browser)

    assert browser.cookies["sessionid"].value != first
    assert again.json()["csrfToken"] != before["X-CSRFToken"]
    browser.cookies["sessionid"] = first
    assert browser.get("/api/session").json()["user"] is None


@pytest.mark.parametrize("verb", ["post", "delete"])
def test_a_page_elsewhere_logs_nobody_in_or_out(browser, alice, verb):
    log_in(browser)

    refused = getattr(browser, verb)("/api/session", RIGHT, content_type="application/json")

    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert browser.get("/api/session").json()["user"]["name"] == "alice"


def test_a_page_elsewhere_does_not_log_a_visitor_in_as_somebody_else(browser, alice):
    refused = browser.post("/api/session", RIGHT, content_type="application/json")

    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert "sessionid" not in browser.cookies


def test_a_page_elsewhere_does_nothing_in_the_name_of_its_visitor(browser, alice):
    log_in(browser)

    refused = browser.post("/api/keys", {"name": "stolen"}, content_type="application/json")
    made = browser.post("/api/keys", {"name": "own"}, content_type="application/json", headers=begin(browser))

    assert (refused.status_code, made.status_code) == (403, 201)


def test_whoever_logs_out_is_nobody_again(browser, alice):
    log_in(browser)
    cookie = browser.cookies["sessionid"].value

    assert browser.delete("/api/session", headers=begin(browser)).status_code == 204

    browser.cookies["sessionid"] = cookie
    assert browser.get("/api/session").json()["user"] is None
    assert browser.get("/api/runs").status_code == 401


def test_a_wrong_name_a_wrong_password_and_a_closed_account_look_the_same(browser, alice):
    get_user_model().objects.create_user("carol", password="x", is_active=False)

    answers = [
        log_in(browser, {"username": name, "password": word})
        for name, word in (("alice", "wrong"), ("nobody", "x"), ("carol", "x"), ("local", ""), ("alice", " x"))
    ]

    wrong, unknown, closed, empty, padded = answers
    assert wrong.status_code == 401
    assert wrong.json()["code"] == "LOGIN_REFUSED"
    assert wrong.content == unknown.content == closed.content == padded.content
    assert empty.status_code == 422


def test_a_key_is_told_whose_it_is_and_has_no_session(client, alice):
    key = bearer(alice, ["read"])

    told = client.get("/api/session", headers=key).json()

    assert (told["user"]["name"], told["scopes"], told["csrfToken"]) == ("alice", ["read"], None)
    assert key["Authorization"].removeprefix("Bearer ").startswith(told["keyPrefix"])
    assert client.delete("/api/session", headers=key).status_code == 403


def test_an_address_may_try_so_often_and_is_told_when_to_come_back(browser, alice, broker, settings):
    settings.ZAP_LOGINS_PER_MINUTE = 2
    wrong = {"username": "alice", "password": "wrong"}

    tries = [log_in(browser, wrong).status_code for _ in range(2)]
    refused = log_in(browser)

    assert tries == [401, 401]
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_LOGINS")
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_a_name_may_be_tried_so_often_from_everywhere(alice, broker, settings):
    settings.ZAP_LOGINS_PER_MINUTE = 1

    seen = []
    for index in range(6):
        visitor = Client(REMOTE_ADDR=f"192.0.2.{index}")
        body = {"username": "ALICE" if index % 2 else "alice", "password": "wrong"}
        seen.append(visitor.post("/api/session", body, content_type="application/json").status_code)

    assert seen == [401] * 5 + [429]


def test_the_admins_door_counts_the_same_tries(client, broker, settings):
    settings.ZAP_LOGINS_PER_MINUTE = 1
    get_user_model().objects.create_superuser("root", password="x")
    form = {"username": "root", "password": "x"}

    client.post("/api/session", form, content_type="application/json")
    client.logout()

    assert client.post("/admin/login/?next=/admin/", form).status_code == 200  # the form again


def test_without_redis_people_can_still_log_in(client, alice, settings, monkeypatch):
    settings.ZAP_LOGINS_PER_MINUTE = 1
    _lose_redis(settings, monkeypatch)

    seen = [client.post("/api/session", RIGHT, content_type="application/json").status_code for _ in range(3)]

    assert seen == [200, 200, 200]


def _lose_redis(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    hints.client.cache_clear()
    monkeypatch.setattr(rates, "_HEALTH", hints.Health("rates=open"))


@pytest.fixture(autouse=True)
def _own_redis():
    yield
    hints.client.cache_clear()


def test_an_account_may_call_so_often_with_all_its_keys_together(client, alice, broker, settings):
    settings.ZAP_CALLS_PER_MINUTE = 2
    one, two = bearer(alice), bearer(alice)

    seen = [client.get("/api/runs", headers=key) for key in (one, two, one)]

    assert [answer.status_code for answer in seen] == [200, 200, 429]
    assert seen[-1].json()["code"] == "TOO_MANY_REQUESTS"
    assert 1 <= int(seen[-1]["Retry-After"]) <= 60
    assert client.get("/api/runs", headers=bearer(make_user("bob"))).status_code == 200
    assert broker.pttl(f"zap:rate:calls:user:{alice.pk}") > 0


def test_staff_are_not_counted(client, broker, settings):
    settings.ZAP_CALLS_PER_MINUTE = 1
    staff = bearer(make_user("sam", staff=True))

    assert [client.get("/api/runs", headers=staff).status_code for _ in range(3)] == [200, 200, 200]


def test_callers_without_a_login_are_counted_by_their_address(broker, settings):
    settings.ZAP_OPEN_CALLS_PER_MINUTE = 1

    seen = [
        Client(REMOTE_ADDR=address).get("/api/zaps").status_code
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    ]

    assert seen == [200, 429, 200, 200, 429, 200]


def test_without_redis_nobody_is_kept_out(client, alice, settings, monkeypatch):
    settings.ZAP_CALLS_PER_MINUTE = 1
    _lose_redis(settings, monkeypatch)
    key = bearer(alice)

    assert [client.get("/api/runs", headers=key).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", "unknown"),
        ("testserver", "unknown"),
    ],
)
def test_what_of_an_address_counts(address, counts):
    assert rates.place(address) == counts

from types import SimpleNamespace

import pytest

SECRET = "a-secret-of-the-operator"
PATH = "/api/providers/poll/drain"


@pytest.fixture
def windows(monkeypatch):
    """Stands in for the engine; holds the windows that it was asked for."""
    asked = []

    def run_alone(*, window_s, job_name):
        asked.append((window_s, job_name))
        found = [{"attempt": str(number)} for number in range(150)]
        return SimpleNamespace(processed=150, errors=2, results=found, status="partial", last_error="X")

    monkeypatch.setattr("runs.api.drain.run_alone", run_alone)
    return asked


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.ZAP_POLL_DRAIN_SECRET = SECRET


@pytest.mark.parametrize(
    "headers",
    [{"x-zap-cron-secret": SECRET}, {"Authorization": f"Bearer {SECRET}"}, {"Authorization": f"bearer {SECRET}"}],
)
def test_the_secret_opens_it_in_either_header(client, windows, headers):
    answer = client.post(PATH, headers=headers)

    body = answer.json()
    assert (answer.status_code, body["processedCount"], body["errorCount"], body["status"]) == (200, 150, 2, "partial")
    assert len(body["results"]) == 100
    assert windows == [(0.0, "endpoint")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-zap-cron-secret": ""},
        {"x-zap-cron-secret": SECRET[:-1]},
        {"x-zap-cron-secret": "ü"},
        {"Authorization": f"Basic {SECRET}"},
        {"x-zap-cron-secret": "wrong", "Authorization": f"Bearer {SECRET}"},
    ],
)
def test_anything_else_does_not(client, windows, headers):
    answer = client.post(PATH, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "DRAIN_SECRET_REFUSED")
    assert windows == []


@pytest.mark.django_db
def test_a_callers_token_does_not_open_it(client, windows, as_staff):
    assert client.post(PATH, headers=as_staff).status_code == 401
    assert windows == []


def test_without_a_secret_it_is_open_in_debug_only(client, windows, settings):
    settings.ZAP_POLL_DRAIN_SECRET = ""

    settings.DEBUG = False
    assert client.post(PATH).status_code == 401
    settings.DEBUG = True
    assert client.post(PATH).status_code == 200


@pytest.mark.parametrize(("window", "seconds"), [("0", 0.0), ("25", 25.0), ("2.5", 2.5)])
def test_the_window_is_the_callers(client, windows, window, seconds):
    client.post(f"{PATH}?window_s={window}", headers={"x-zap-cron-secret": SECRET})

    assert windows == [(seconds, "endpoint")]


@pytest.mark.parametrize("window", ["-1", "25.1", "nan", "inf", "x", "%00"])
def test_a_window_that_is_none_is_refused(client, windows, window):
    answer = client.post(f"{PATH}?window_s={window}", headers={"x-zap-cron-secret": SECRET})

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "window_s")
    assert windows == []

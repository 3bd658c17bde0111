"""The vendor's own client against the emulator: what it accepts, fal would have said."""

import contextlib

import fal_client
import httpx
import pytest
from fal_client import Completed, InProgress, Queued
from fal_client.client import FalClientHTTPError

APP = "fal-ai/flux/dev"


@pytest.fixture
def connect(emulator, monkeypatch):
    """Makes fal's client for a key, with its three hosts moved to the emulator."""
    url = emulator.urls["fal"]
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{url}/")
    monkeypatch.setattr(fal_client.client, "REST_URL", url)
    monkeypatch.setattr(fal_client.client, "CDN_URL", url)
    make_cdn_client = fal_client.SyncClient._get_cdn_client
    with contextlib.ExitStack() as opened:

        def remembered(client):  # the client forgets to close these
            made = make_cdn_client(client)
            opened.callback(made.close)
            return made

        monkeypatch.setattr(fal_client.SyncClient, "_get_cdn_client", remembered)

        def connect(key):
            client = fal_client.SyncClient(key=key)
            opened.callback(client._client.close)
            return client

        yield connect


@pytest.fixture
def client(connect):
    return connect("id:secret")


def test_it_submits_and_gets_the_result(client):
    handle = client.submit(APP, {"prompt": "A lighthouse", "seed": 7})

    result = handle.get()

    assert result["seed"] == 7
    assert result["images"][0]["content_type"] == "image/png"
    assert result == handle.get()


def test_the_addresses_that_it_derives_are_the_ones_that_were_returned(client):
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    assert client.get_handle(APP, handle.request_id) == handle


def test_it_sees_each_state(fal, client):
    fal.clock.freeze()
    fal.pace.queue_s, fal.pace.run_s = 2, 3
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    waiting = handle.status()
    fal.clock.advance(2)
    silent, telling = handle.status(with_logs=False), handle.status(with_logs=True)
    fal.clock.advance(3)
    done = handle.status(with_logs=True)

    assert waiting == Queued(position=4)
    assert silent == InProgress(logs=None)
    assert isinstance(telling, InProgress)
    assert telling.logs[0]["level"] == "INFO"
    assert isinstance(done, Completed)
    assert done.metrics == {"inference_time": pytest.approx(3)}


def test_it_iterates_until_the_end(fal, client):
    fal.pace.queue_s, fal.pace.run_s = 0.1, 0.2
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    events = list(handle.iter_events(with_logs=True, interval=0.02))

    assert list(dict.fromkeys(map(type, events))) == [Queued, InProgress, Completed]


def test_a_result_is_not_handed_out_too_early(fal, client):
    fal.clock.freeze()
    fal.pace.run_s = 10
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    answer = httpx.get(handle.response_url, headers={"Authorization": "Key id:secret"})

    assert (answer.status_code, answer.json()) == (400, {"detail": "Request is still in progress"})


def test_it_cancels(fal, client):
    fal.clock.freeze()
    fal.pace.queue_s = 10
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    handle.cancel()

    assert handle.status().error_type == "client_cancelled"


def test_it_cannot_cancel_what_is_over(client):
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    with pytest.raises(FalClientHTTPError) as caught:
        handle.cancel()

    assert caught.value.status_code == 400
    assert caught.value.response.json() == {"status": "ALREADY_COMPLETED"}


def test_it_uploads_and_the_file_can_be_read_back(client):
    url = client.upload(b"\x89PNG...", "image/png")

    assert httpx.get(url).content == b"\x89PNG..."


def test_it_uploads_by_the_older_way_as_well(client):
    url = client.upload(b"\x89PNG...", "image/png", repository="fal")

    assert httpx.get(url).content == b"\x89PNG..."


def test_it_reads_the_kind_of_a_failure(fal, client):
    fal.plan.add({"on": "submit", "do": "infra_error", "type": "runner_disconnected"})
    handle = client.submit(APP, {"prompt": "A lighthouse"})

    status = handle.status()
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get()

    assert (status.error_type, caught.value.status_code, caught.value.error_type) == (
        "runner_disconnected",
        503,
        "runner_disconnected",
    )


def test_it_reads_a_model_s_refusal(fal, client):
    fal.plan.add({"on": "submit", "do": "model_error", "type": "content_policy_violation"})

    with pytest.raises(FalClientHTTPError) as caught:
        client.submit(APP, {"prompt": "A lighthouse"}).get()

    assert caught.value.status_code == 422
    assert caught.value.response_headers["x-fal-retryable"] == "false"
    assert caught.value.message[0]["type"] == "content_policy_violation"


def test_it_is_turned_away_without_a_key_that_counts(connect):
    with pytest.raises(FalClientHTTPError) as caught:
        connect("invalid").submit(APP, {"prompt": "A lighthouse"})

    assert caught.value.status_code == 401


def test_it_buys_twice_where_we_buy_once(fal, client):
    """Why we do not send paid requests through it."""
    fal.plan.add({"on": "submit", "do": "drop_after", "times": 1})

    client.submit(APP, {"prompt": "A lighthouse"})

    assert list(fal.journal.document()["accepted"]["byBody"].values()) == [2]

"""The vendor's own client against the emulator: what it accepts, Replicate would have said."""

import io

import httpx
import pytest
import replicate
from pydantic.v1 import ValidationError
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import Webhooks

MODEL = "black-forest-labs/flux-dev"
VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"
INPUT = {"prompt": "A lighthouse", "seed": 7}


@pytest.fixture
def desk(emulator):
    return emulator.desks["replicate"]


@pytest.fixture
def connect(emulator):
    """Makes Replicate's client for a token; it takes the emulator's address as it would take the vendor's."""
    opened = []

    def connect(token):
        client = replicate.Client(api_token=token, base_url=emulator.urls["replicate"])
        client.poll_interval = 0.02
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client._client.close()


@pytest.fixture
def client(connect):
    return connect("r8_secret")


def test_it_makes_a_prediction_and_waits_for_it(client):
    prediction = client.models.predictions.create(MODEL, INPUT)
    assert prediction.status == "starting"

    prediction.wait()

    assert prediction.status == "succeeded"
    assert prediction.input == INPUT
    assert len(prediction.output) == 1
    assert httpx.get(prediction.output[0]).content.startswith(b"\x89PNG")


def test_it_runs_a_model_at_one_go(client):
    (url,) = client.run(MODEL, input=INPUT)

    assert httpx.get(url).headers["content-type"] == "image/png"


def test_it_waits_within_the_request(desk, client):
    desk.pace.run_s = 0.2

    prediction = client.models.predictions.create(MODEL, INPUT, wait=True)

    assert prediction.status == "succeeded"


def test_it_does_not_wait_for_ever_within_the_request(desk, client):
    desk.pace.run_s = 10

    prediction = client.models.predictions.create(MODEL, INPUT, wait=1)

    assert prediction.status == "processing"


def test_it_predicts_by_version_and_by_deployment(desk, client):
    by_version = client.predictions.create(version=VERSION, input=INPUT)
    by_deployment = client.deployments.predictions.create("acme/kites", INPUT)

    assert by_version.version == VERSION
    assert by_deployment.status == "starting"
    assert [one.model for one in desk.journal.accepted()] == [VERSION, "acme/kites"]


def test_it_sees_each_state_and_the_bar_in_the_log(desk, client):
    desk.clock.freeze()
    desk.pace.queue_s, desk.pace.run_s = 2, 3
    prediction = client.models.predictions.create(MODEL, INPUT)

    seen = []
    for _ in range(3):
        prediction.reload()
        seen.append((prediction.status, prediction.started_at is not None, prediction.output is not None))
        desk.clock.advance(3)

    assert seen == [("starting", False, False), ("processing", True, False), ("succeeded", True, True)]
    assert prediction.progress.percentage == 1.0
    assert prediction.metrics == {"predict_time": pytest.approx(3)}


def test_it_cancels(desk, client):
    desk.clock.freeze()
    desk.pace.run_s = 10
    prediction = client.models.predictions.create(MODEL, INPUT)

    prediction.cancel()

    assert prediction.status == "canceled"


def test_what_is_over_stays_as_it_is(client):
    prediction = client.models.predictions.create(MODEL, INPUT)

    prediction.cancel()

    assert prediction.status == "succeeded"


def test_it_reads_why_a_model_failed(desk, client):
    desk.plan.add({"on": "submit", "do": "fail", "body": "The input was flagged as sensitive. (E005)"})

    with pytest.raises(ModelError, match="E005"):
        client.run(MODEL, input=INPUT)


def test_it_lists_the_newest_first(client):
    ids = [client.models.predictions.create(MODEL, INPUT).id for _ in range(2)]

    assert [one.id for one in client.predictions.list()] == ids[::-1]


def test_it_uploads_a_file_and_finds_it_again(client):
    file = client.files.create(io.BytesIO(b"\x89PNG..."), filename="a.png", content_type="image/png")

    assert (file.size, file.content_type) == (7, "image/png")
    assert client.files.get(file.id).urls == file.urls


def test_a_picture_may_go_in_as_a_file(desk, client):
    prediction = client.models.predictions.create(
        "black-forest-labs/flux-kontext-pro", {**INPUT, "input_image": io.BytesIO(b"\x89PNG...")}
    )

    assert prediction.input["input_image"].startswith(str(client._client.base_url).rstrip("/") + "/v1/files/")


def test_it_asks_who_it_is_and_what_callbacks_are_signed_with(client):
    secret = client.webhooks.default.secret()

    assert client.accounts.current().username == "emu"
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    with pytest.raises(ValueError, match="signature is invalid"):
        Webhooks.validate(headers=headers, body="{}", secret=secret)


def test_it_is_turned_away_without_a_token_that_counts(connect):
    with pytest.raises(ReplicateError) as caught:
        connect("invalid").models.predictions.create(MODEL, INPUT)

    assert (caught.value.status, caught.value.title) == (401, "Unauthenticated")


def test_it_is_told_what_an_input_lacks(client):
    with pytest.raises(ReplicateError) as caught:
        client.models.predictions.create(MODEL, {"seed": 7})

    assert (caught.value.status, caught.value.title) == (422, "Input validation failed")


def test_it_buys_once_where_an_answer_is_lost(desk, client):
    desk.plan.add({"on": "submit", "do": "drop_after", "times": 1})

    with pytest.raises(httpx.RemoteProtocolError):
        client.models.predictions.create(MODEL, INPUT)

    assert desk.journal.document()["accepted"]["total"] == 1


def test_it_does_not_know_the_word_aborted(desk, client):
    """Why we do not poll through it."""
    desk.plan.add({"on": "submit", "do": "aborted"})
    prediction = client.models.predictions.create(MODEL, INPUT)

    with pytest.raises(ValidationError):
        prediction.reload()

import json

import pytest

from accounts.models import IdempotencyKey
from notifications.models import Delivery, Endpoint
from notifications.signing import new_secret
from runs.control import cancel_run
from runs.deletion import delete_run
from runs.models import Run
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db(transaction=True)
RUN = "/api/zaps/run"


@pytest.fixture
def webhook(receiver):
    return {"url": receiver.url, "secret": new_secret(), "events": ["run.started", "run.canceled"]}


def test_a_run_tells_its_own_webhook_and_no_other_run_does(post, order, as_alice, bells, webhook, receiver, told):
    first = post(RUN, {**order, "webhook": webhook}, **as_alice)
    post(RUN, order, **as_alice)
    bells.answer_all()
    told(), told()

    assert first.status_code == 202
    assert webhook["secret"] not in first.content.decode()
    assert [message.type for message in receiver.messages] == ["run.started"]
    assert receiver.messages[0].verified_by(webhook["secret"])["data"]["runId"] == first.json()["runId"]


def test_a_secret_that_came_along_stands_nowhere(post, order, as_alice, bells, webhook):
    post(RUN, {**order, "webhook": webhook}, **as_alice, **{"Idempotency-Key": "one"})

    rows = [list(kind.objects.values()) for kind in (Run, Endpoint, IdempotencyKey)]
    assert webhook["secret"] not in str(rows)


def test_a_request_that_is_repeated_promises_it_once(post, order, as_alice, bells, webhook):
    body = {**order, "webhook": webhook}
    answers = [post(RUN, body, **as_alice, **{"Idempotency-Key": "one"}) for _ in range(2)]
    other = {**body, "webhook": {**webhook, "secret": new_secret()}}

    assert [answer.status_code for answer in answers] == [202, 202]
    assert Endpoint.objects.count() == 1
    assert post(RUN, other, **as_alice, **{"Idempotency-Key": "one"}).json()["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"secret": "mine"}, "webhook.secret"),
        ({"url": "https://10.0.0.1/"}, "webhook.url"),
        ({"events": ["run.paid"]}, "webhook.events"),
        ({"verb": "PUT"}, "webhook.verb"),
    ],
)
def test_a_webhook_that_cannot_be_promised_makes_no_run(post, order, as_alice, webhook, changes, path):
    answer = post(RUN, {**order, "webhook": {**webhook, **changes}}, **as_alice)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith(path)
    assert Run.objects.count() == 0


def test_callers_whom_we_do_not_know_have_nobody_told(post, order, webhook, settings):
    settings.ZAP_OPEN_MODES = ("plan", "mock")

    assert post(RUN, {**order, "webhook": webhook}).status_code == 401
    assert Run.objects.count() == 0


def test_it_is_listed_for_its_run_alone_and_only_to_its_owner(client, post, order, as_alice, webhook):
    run_id = post(RUN, {**order, "webhook": webhook}, **as_alice).json()["runId"]

    def listed(headers, query=""):
        return [one["runId"] for one in client.get(f"/api/webhooks{query}", headers=headers).json()["webhooks"]]

    assert listed(as_alice) == []
    assert listed(as_alice, f"?runId={run_id}") == [run_id]
    assert listed(bearer(make_user("bob")), f"?runId={run_id}") == []


def test_a_run_that_is_deleted_takes_its_webhook_along(post, order, as_alice, webhook, bells):
    run_id = post(RUN, {**order, "webhook": webhook}, **as_alice).json()["runId"]
    cancel_run(run_id, actor="user:1")
    assert json.loads(json.dumps(Delivery.objects.get().data))["status"] == "canceled"

    delete_run(run_id, actor="user:1")

    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)

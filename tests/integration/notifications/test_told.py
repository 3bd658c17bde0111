import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from notifications.signing import new_secret
from runs.models import RunEvent
from tests.integration.notifications.ways import finish

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_receiver_is_told_that_a_run_is_done_and_believes_it(alice, bells, hook, receiver, told):
    run = finish(bells, alice)

    told(), told()

    assert run.status == "done"
    assert receiver.types == ["run.started", "run.done"]
    done = receiver.messages[-1]
    said = done.verified_by(hook.plain)
    assert said["data"]["runId"] == run.run_id
    assert said["data"]["status"] == "done"
    assert said["data"]["zapUrl"] == run.zap_url
    assert said["data"]["pageUrl"] == f"/runs/{run.run_id}"
    assert done.headers["content-type"] == "application/json"


def test_what_is_not_signed_by_its_secret_is_not_believed(alice, bells, hook, receiver, told):
    finish(bells, alice)
    told()

    with pytest.raises(WebhookVerificationError):
        receiver.messages[0].verified_by(new_secret())


def test_an_event_has_the_number_that_it_has_in_the_run_s_log(alice, bells, hook, receiver, told):
    run = finish(bells, alice)
    told(), told()

    seqs = dict(RunEvent.objects.filter(run=run).values_list("type", "seq"))
    assert [message.id for message in receiver.messages] == [
        f"evt_{run.run_id[4:]}_{seqs['run.started']}",
        f"evt_{run.run_id[4:]}_{seqs['run.finished']}",
    ]

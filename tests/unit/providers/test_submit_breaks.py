"""An adapter that breaks while it submits: what it has bought is known by whether its paid call was let out."""

import pytest

from core.errors import Refused
from providers.adapters.mock import Mock
from providers.contract import Call, Generation, Reply
from providers.errors import Rejected, Unavailable

PAID = Call(method="POST", url="https://api.acme.example/v1/jobs", paid=True)
FREE = Call(method="GET", url="https://api.acme.example/v1/place")
OK = Reply(status=200, headers={}, body=b"{}")


class Acme(Mock):
    """Makes these calls, then does that."""

    name = "acme"

    def __init__(self, *calls, then):
        super().__init__()
        self.calls, self.then = calls, then

    def submit(self, generation, *, key, idem_key, callback_url=None):
        for call in self.calls:  # noqa: UP028  # a tuple cannot be sent answers
            yield call
        self.then()

    poll = submit


def talk_to_the_end(adapter, verb="submit"):
    talk = getattr(adapter, verb)(Generation(capability="image.gen", model="m"), key="k", idem_key="i")
    next(talk)
    while True:
        talk.send(OK)


def breaks():
    raise KeyError("my key is k-123")


@pytest.mark.parametrize("calls", [(), (FREE,), (FREE, FREE)])
def test_before_it_was_paid_certainly_nothing_was_bought(calls, caplog):
    with pytest.raises(Rejected) as caught:
        talk_to_the_end(Acme(*calls, then=breaks))

    assert caught.value.reason == "SUBMISSION_PRECONDITION_FAILED"
    assert "k-123" not in f"{caught.value!r} {caught.value.detail}"
    assert caught.value.__cause__ is None
    assert "broken-before-it-was-paid" in caplog.text


@pytest.mark.parametrize("calls", [(PAID,), (FREE, PAID), (PAID, FREE)])
def test_after_it_was_paid_nobody_knows(calls):
    with pytest.raises(KeyError):
        talk_to_the_end(Acme(*calls, then=breaks))


@pytest.mark.parametrize("error", [Unavailable, Refused])
def test_what_it_says_in_our_words_is_left_as_it_is(error):
    def refuses():
        raise error

    with pytest.raises(error):
        talk_to_the_end(Acme(then=refuses))


def test_other_conversations_break_as_they_are():
    with pytest.raises(KeyError):
        talk_to_the_end(Acme(then=breaks), "poll")

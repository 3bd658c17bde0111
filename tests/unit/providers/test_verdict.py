import pickle

import pytest

from providers import errors
from providers.contract import Reply
from providers.errors import KeyRefused, ProviderError, Rejected, SubmissionUnknown, Unavailable
from providers.verdict import json_object, require_ok, retry_after_s

PICTURE = """
status  free                             paid
301     Unavailable PROVIDER_UNAVAILABLE SubmissionUnknown SUBMISSION_UNKNOWN
400     Rejected PROVIDER_REJECTED       Rejected PROVIDER_REJECTED
401     KeyRefused KEY_INVALID           KeyRefused KEY_INVALID
402     KeyRefused INSUFFICIENT_CREDITS  KeyRefused INSUFFICIENT_CREDITS
403     KeyRefused KEY_INVALID           KeyRefused KEY_INVALID
404     Rejected PROVIDER_REJECTED       Rejected PROVIDER_REJECTED
408     Unavailable PROVIDER_UNAVAILABLE SubmissionUnknown SUBMISSION_UNKNOWN
413     Rejected PROVIDER_REJECTED       Rejected PROVIDER_REJECTED
422     Rejected PROVIDER_REJECTED       Rejected PROVIDER_REJECTED
429     Unavailable RATE_LIMITED         Unavailable RATE_LIMITED
500     Unavailable PROVIDER_UNAVAILABLE SubmissionUnknown SUBMISSION_UNKNOWN
503     Unavailable PROVIDER_UNAVAILABLE SubmissionUnknown SUBMISSION_UNKNOWN
"""


def answer(status, body=b"", **headers):
    return Reply(status=status, headers=headers, body=body)


@pytest.mark.parametrize("line", PICTURE.strip().splitlines()[1:])
def test_each_status_has_one_meaning(line):
    status, free, free_code, paid, paid_code = line.split()
    seen = []

    for is_paid in (False, True):
        with pytest.raises(ProviderError) as caught:
            require_ok(answer(int(status)), paid=is_paid)
        seen += [type(caught.value).__name__, caught.value.reason]

    assert seen == [free, free_code, paid, paid_code]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_is_let_through(status):
    require_ok(answer(status), paid=True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7), ("0", 0), ("1.5", 1.5), ("99999", 3600), ("-3", None), ("soon", None), ("", None)]
)
def test_retry_after_in_seconds(text, seconds):
    assert retry_after_s({"retry-after": text}) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("Sat, 21 Nov 2026 12:00:30 GMT", 30), ("Sat, 21 Nov 2026 11:00:00 GMT", 0)]
)
def test_retry_after_as_a_date(time_machine, text, seconds):
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)

    assert retry_after_s({"retry-after": text}) == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"null", b"\xff"])
def test_what_is_no_json_object_is_no_answer(body):
    with pytest.raises(Unavailable):
        json_object(answer(200, body))
    with pytest.raises(SubmissionUnknown):
        json_object(answer(200, body), paid=True)


KINDS = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ProviderError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_code_a_sentence_and_survives_pickle(kind):
    error = kind("A sentence.", reason="NARROWER", retry_after_s=2.0)

    copy = pickle.loads(pickle.dumps(error))

    assert kind.code.isupper()
    assert kind.title.endswith(".")
    assert (type(copy), str(copy), copy.reason, copy.retry_after_s) == (kind, "A sentence.", "NARROWER", 2.0)


def test_only_what_may_be_tried_again_says_so():
    assert (KeyRefused.retryable, Rejected.retryable, SubmissionUnknown.retryable) == (False, False, False)
    assert (errors.NotSent.retryable, Unavailable.retryable, errors.OutputUnavailable.retryable) == (True, True, True)

"""The call that costs money, at every vendor: sent once, and never taken for more or less than it can be."""

import pytest

from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable
from tests.contract.cases import CASES, EMULATED, PROMPT, Case


@pytest.fixture(params=EMULATED)
def case(request, emulator) -> Case:
    return CASES[request.param](emulator)


@pytest.fixture
def submit(case, converse):
    return lambda: converse(case.provider.submit(case.asked, key=case.key, idem_key="idem"))


@pytest.fixture
def bought(case):
    """How many submissions arrived, and how many made a job."""
    return lambda: (case.desk.journal.count("submit"), len(case.desk.journal.accepted()))


@pytest.mark.parametrize(("fault", "made"), [("drop", 0), ("drop_after", 1), ("slow", 1), ("garbage", 0), ("nginx", 0)])
def test_a_lost_submission_is_unknown_and_sent_once(case, submit, bought, fault, made):
    case.desk.plan.add({"on": "submit", "do": fault, "delay_s": 3, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit()

    assert bought() == (1, made)


@pytest.mark.parametrize("status", [302, 408, 500, 502, 503, 504])
def test_a_submission_that_met_an_error_is_unknown_and_sent_once(case, submit, bought, status):
    case.desk.plan.add({"on": "submit", "do": "status", "status": status, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit()

    assert bought() == (1, 0)


@pytest.mark.parametrize("body", [{}, {"id": None}, {"id": 7}, {"data": []}, {"request_id": ""}])
def test_an_answer_without_a_job_leaves_the_submission_unknown(case, submit, body):
    case.desk.plan.add({"on": "submit", "do": "status", "status": 200, "body": body or {"status": "queued"}})

    with pytest.raises(SubmissionUnknown):
        submit()


def test_a_provider_that_is_not_there_was_sent_nothing(case, converse):
    nobody = type(case.provider)("http://127.0.0.1:9")

    with pytest.raises(NotSent):
        converse(nobody.submit(case.asked, key=case.key, idem_key="idem"))


def test_a_busy_provider_says_when_to_come_back(case, submit, bought):
    case.desk.plan.add({"on": "submit", "do": "status", "status": 429, "retry_after_s": 7})

    with pytest.raises(Unavailable) as caught:
        submit()

    assert (caught.value.reason, caught.value.retry_after_s) == ("RATE_LIMITED", 7)
    assert bought() == (1, 0)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "KEY_INVALID"), (403, "KEY_INVALID"), (402, "INSUFFICIENT_CREDITS")]
)
def test_a_refused_key_buys_nothing(case, submit, bought, status, code):
    case.desk.plan.add({"on": "submit", "do": "status", "status": status})

    with pytest.raises(KeyRefused) as caught:
        submit()

    assert caught.value.reason == code
    assert bought() == (1, 0)


def test_a_wrong_key_is_refused_by_the_vendor_itself(case, converse):
    with pytest.raises(KeyRefused) as caught:
        converse(case.provider.submit(case.asked, key="invalid", idem_key="idem"))

    assert caught.value.reason == "KEY_INVALID"


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_a_request_that_was_read_and_refused_is_rejected(case, submit, status):
    case.desk.plan.add({"on": "submit", "do": "status", "status": status})

    with pytest.raises(Rejected) as caught:
        submit()

    assert caught.value.reason == "PROVIDER_REJECTED"


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 422, 429, 500, 503])
def test_no_error_repeats_what_the_vendor_says(case, submit, status):
    said = f"{PROMPT} {case.key} https://signed.example/a?token=b"
    body = {"detail": said, "error": {"code": status, "message": said}, "message": said, "errors": [{"message": said}]}
    case.desk.plan.add({"on": "submit", "do": "status", "status": status, "body": body})

    with pytest.raises(ProviderError) as caught:
        submit()

    shown = f"{caught.value!r} {caught.value} {caught.value.detail} {caught.value.extra} {caught.value.reason}"
    assert [word for word in ("kite", "secret", "://", "token") if word in shown] == []
    assert caught.value.__cause__ is None


def test_what_is_sent_carries_a_digest_of_the_key_that_names_the_attempt(case, submit):
    submit()

    assert [one.idem for one in case.desk.journal.accepted()] == [
        "b43aae102b191a96b0eef83f7a7a8004ecd2ea986f64726e2541f3d608a9d593"
    ]

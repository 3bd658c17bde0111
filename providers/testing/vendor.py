"""What is owed where there is a vendor: above all the paid call, sent once, and taken for no more than it can be."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest

from providers.contract import Job, JobState
from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable
from providers.testing.case import PROMPT, Case
from providers.testing.stage import Hold, Stage

Submit: TypeAlias = Callable[[], Job]
Bought: TypeAlias = Callable[[], tuple[int, int]]


class VendorPromises(Stage):
    """For every adapter whose vendor the emulator plays."""

    @pytest.fixture
    def submit(self, case: Case, converse: Hold) -> Submit:
        return lambda: converse(case.provider.submit(case.asked, key=case.key, idem_key="idem"))

    @pytest.fixture
    def bought(self, case: Case) -> Bought:
        """How many submissions arrived, and how many made a job."""
        return lambda: (case.vendor.journal.count("submit"), len(case.vendor.journal.accepted()))

    @pytest.mark.usefixtures("in_a_hurry")
    @pytest.mark.parametrize(
        ("fault", "made"), [("drop", 0), ("drop_after", 1), ("slow", 1), ("garbage", 0), ("nginx", 0)]
    )
    def test_a_lost_submission_is_unknown_and_sent_once(
        self, case: Case, submit: Submit, bought: Bought, fault: str, made: int
    ) -> None:
        case.vendor.plan.add({"on": "submit", "do": fault, "delay_s": 3, "times": None})

        with pytest.raises(SubmissionUnknown):
            submit()

        assert bought() == (1, made)

    @pytest.mark.parametrize("status", [302, 408, 500, 502, 503, 504])
    def test_a_submission_that_met_an_error_is_unknown_and_sent_once(
        self, case: Case, submit: Submit, bought: Bought, status: int
    ) -> None:
        case.vendor.plan.add({"on": "submit", "do": "status", "status": status, "times": None})

        with pytest.raises(SubmissionUnknown):
            submit()

        assert bought() == (1, 0)

    @pytest.mark.parametrize("body", [{}, {"id": None}, {"id": 7}, {"data": []}, {"request_id": ""}])
    def test_an_answer_without_a_job_leaves_the_submission_unknown(
        self, case: Case, submit: Submit, body: dict[str, object]
    ) -> None:
        case.vendor.plan.add({"on": "submit", "do": "status", "status": 200, "body": body or {"status": "queued"}})

        with pytest.raises(SubmissionUnknown):
            submit()

    def test_a_provider_that_is_not_there_was_sent_nothing(self, case: Case, converse: Hold) -> None:
        nobody = type(case.provider)("http://127.0.0.1:9")

        with pytest.raises(NotSent):
            converse(nobody.submit(case.asked, key=case.key, idem_key="idem"))

    def test_a_busy_provider_says_when_to_come_back(self, case: Case, submit: Submit, bought: Bought) -> None:
        case.vendor.plan.add({"on": "submit", "do": "status", "status": 429, "retry_after_s": 7})

        with pytest.raises(Unavailable) as caught:
            submit()

        assert (caught.value.reason, caught.value.retry_after_s) == ("RATE_LIMITED", 7)
        assert bought() == (1, 0)

    @pytest.mark.parametrize(
        ("status", "code"), [(401, "KEY_INVALID"), (403, "KEY_INVALID"), (402, "INSUFFICIENT_CREDITS")]
    )
    def test_a_refused_key_buys_nothing(
        self, case: Case, submit: Submit, bought: Bought, status: int, code: str
    ) -> None:
        case.vendor.plan.add({"on": "submit", "do": "status", "status": status})

        with pytest.raises(KeyRefused) as caught:
            submit()

        assert caught.value.reason == code
        assert bought() == (1, 0)

    def test_a_wrong_key_is_refused_by_the_vendor_itself(self, case: Case, converse: Hold) -> None:
        with pytest.raises(KeyRefused) as caught:
            converse(case.provider.submit(case.asked, key="invalid", idem_key="idem"))

        assert caught.value.reason == "KEY_INVALID"

    @pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
    def test_a_request_that_was_read_and_refused_is_rejected(self, case: Case, submit: Submit, status: int) -> None:
        case.vendor.plan.add({"on": "submit", "do": "status", "status": status})

        with pytest.raises(Rejected) as caught:
            submit()

        assert caught.value.reason == "PROVIDER_REJECTED"

    @pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 422, 429, 500, 503])
    def test_no_error_repeats_what_the_vendor_says(self, case: Case, submit: Submit, status: int) -> None:
        said = f"{PROMPT} {case.key} https://signed.example/a?token=b"
        body = {
            "detail": said,
            "error": {"code": status, "message": said},
            "message": said,
            "errors": [{"message": said}],
        }
        case.vendor.plan.add({"on": "submit", "do": "status", "status": status, "body": body})

        with pytest.raises(ProviderError) as caught:
            submit()

        shown = f"{caught.value!r} {caught.value} {caught.value.detail} {caught.value.extra} {caught.value.reason}"
        assert [word for word in ("kite", "secret", "://", "token") if word in shown] == []
        assert caught.value.__cause__ is None

    def test_what_is_sent_carries_a_digest_of_the_key_that_names_the_attempt(self, case: Case, submit: Submit) -> None:
        submit()

        assert [one.idem for one in case.vendor.journal.accepted()] == [
            "b43aae102b191a96b0eef83f7a7a8004ecd2ea986f64726e2541f3d608a9d593"
        ]

    def test_a_stored_address_of_somebody_else_is_never_asked(self, case: Case, submit: Submit, converse: Hold) -> None:
        job = submit()
        forged = {name: url.replace(case.provider.origin, "http://127.0.0.1:9") for name, url in job.urls.items()}

        seen = converse(case.provider.poll(replace(job, urls=forged), key=case.key))

        assert seen.state is JobState.DONE

"""Lumen keeps what every adapter promises, and what only Lumen does is what we take it for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from providers.contract import Generation, JobState
from providers.emulator import Emulator
from providers.testing import PROMPT, Case, JobPromises, VendorPromises, emulated, picture
from providers.testing.stage import Hold
from zaps_lumen import PRICES, Lumen


class TestPictures(JobPromises, VendorPromises):
    """Some fifty tests, each through both transports: jobs, faults of the network, money that is spent once."""

    @pytest.fixture
    def case(self, emulator: Emulator) -> Case:
        lumen, desk = Lumen(emulator.urls["lumen"]), emulator.desks["lumen"]
        return emulated(lumen, desk, picture(lumen), {"do": "fail"}, usd=Decimal("0.02"), has_place=True)


class TestClips(JobPromises):
    @pytest.fixture
    def case(self, emulator: Emulator) -> Case:
        lumen, desk = Lumen(emulator.urls["lumen"]), emulator.desks["lumen"]
        clip = Generation(
            capability="video.gen", model="lumen-motion", prompt=PROMPT, aspect="16:9", duration_s=Decimal(10)
        )
        return emulated(lumen, desk, clip, {"do": "fail"}, usd=Decimal("0.5"), has_place=True)

    @pytest.mark.parametrize(
        ("fault", "code", "again"), [("moderation", "CONTENT_REFUSED", False), ("no_files", "OUTPUT_MISSING", True)]
    )
    def test_why_it_failed_is_said_in_our_words(
        self, case: Case, converse: Hold, fault: str, code: str, again: bool
    ) -> None:
        case.vendor.plan.add({"on": "submit", "do": fault})
        job = converse(case.provider.submit(case.asked, key=case.key, idem_key="one"))

        seen = converse(case.provider.poll(job, key=case.key))

        assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, again)

    def test_what_costs_more_is_charged_and_known_beforehand(self, case: Case, converse: Hold) -> None:
        sharp = replace(case.asked, params={"resolution": "1080p"})
        job = converse(case.provider.submit(sharp, key=case.key, idem_key="one"))

        seen = converse(case.provider.poll(job, key=case.key))

        assert seen.cost.usd == Decimal(1)
        assert [one.usd for one in PRICES if one.variant == case.provider.variant(sharp.model, sharp.params)] == [
            Decimal("0.10")
        ]

    def test_a_word_that_nobody_has_told_us_of_means_still_working(self, case: Case, converse: Hold) -> None:
        job = converse(case.provider.submit(case.asked, key=case.key, idem_key="one"))
        odd = {"status": "polishing", "progress": "much", "place": True, "credits": -1, "files": 7}
        case.vendor.plan.add({"on": "status", "do": "status", "status": 200, "body": odd})

        seen = converse(case.provider.poll(job, key=case.key))

        assert (seen.state, seen.progress, seen.queue_position, seen.cost) == (JobState.RUNNING, None, None, None)


def test_whatever_can_be_asked_for_has_a_price() -> None:
    lumen = Lumen()

    asked = {(model, variant) for model in lumen.listed_models() for variant in lumen.variants(model)}

    assert asked == {(price.model, price.variant) for price in PRICES}

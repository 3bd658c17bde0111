"""A key is tried by one call that costs nothing, whoever the vendor is."""

import pytest

from providers.contract import Provider
from providers.errors import KeyRefused, Unavailable
from providers.registry import PROVIDERS
from tests.contract.cases import CASES, EMULATED

#: vendors whose answer to a good key proves nothing
SILENT = {"prodia"}


@pytest.fixture(params=EMULATED)
def case(request, emulator):
    return CASES[request.param](emulator)


def test_every_provider_that_takes_a_key_can_try_it():
    ours = [one for one in PROVIDERS if type(one).__module__.startswith("providers.adapters.")]
    takers = {one.name for one in ours if one.key_variable}

    assert takers == set(EMULATED)
    assert all(type(PROVIDERS.get(name)).check_key is not Provider.check_key for name in takers)


def test_a_good_key_is_tried_by_one_call_that_buys_nothing(case, converse):
    good = converse(case.provider.check_key(key=case.key))

    assert good is (case.provider.name not in SILENT)
    assert sum(case.desk.journal.calls.values()) == 1
    assert case.desk.journal.submissions == []


def test_a_wrong_key_is_refused_by_one_call_that_buys_nothing(case, converse):
    with pytest.raises(KeyRefused) as caught:
        converse(case.provider.check_key(key="invalid"))

    assert caught.value.reason == "KEY_INVALID"
    assert sum(case.desk.journal.calls.values()) == 1
    assert case.desk.journal.submissions == []


@pytest.mark.parametrize("fault", [{"do": "status", "status": 503}, {"do": "status", "status": 429}, {"do": "drop"}])
def test_a_vendor_in_trouble_says_nothing_about_the_key(case, converse, fault):
    case.desk.plan.add({"on": "*", "times": None, **fault})

    with pytest.raises(Unavailable):
        converse(case.provider.check_key(key=case.key))

    assert case.desk.journal.submissions == []


def test_no_call_that_tries_a_key_is_marked_as_one_that_costs(case):
    assert next(case.provider.check_key(key=case.key)).paid is False

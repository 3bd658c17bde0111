"""Whatever any vendor answers, its adapter says something that the engine understands, and nothing that is secret.

The true answers of each emulated vendor are broken in one or two places. An adapter that is installed and not played
here fails the first test.
"""

import json
import logging
import traceback
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.contract import Billed, CancelState, Job, JobState, Snapshot
from providers.emulator import Emulator
from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable
from providers.registry import PROVIDERS
from providers.testing.stage import blocking
from runs.faults import FAULTS
from runs.models import Attempt
from tests.contract.cases import CASES
from tests.contract.mutants import SAID, each_place, mutants, play, record

KEY = "an-id:canary-of-the-key"
PROMPT = "A red kite"
REQUEST_ID_AT_MOST = Attempt._meta.get_field("provider_request_id").max_length
VERBS = {
    "submit": lambda case, job: case.provider.submit(case.asked, key=KEY, idem_key="idem"),
    "poll": lambda case, job: case.provider.poll(job, key=KEY),
    "cancel": lambda case, job: case.provider.cancel(job, key=KEY),
    "recover": lambda case, job: case.provider.recover(idem_key="idem", key=KEY),
    "check_key": lambda case, job: case.provider.check_key(key=KEY),
}
MEANINGS = {
    "submit": (Job,),
    "poll": (Snapshot,),
    "cancel": (CancelState,),
    "recover": (Job, type(None)),
    "check_key": (bool,),
}


def test_every_adapter_is_played():
    assert set(CASES) == {name for name in PROVIDERS.entries if type(PROVIDERS.get(name)).__module__.startswith("prov")}


@cache
def truth(name):
    """The case, its job, and the true answers of its vendor to each verb."""
    with Emulator() as emulator:
        case, heard = CASES[name](emulator), {}
        job = None
        for verb, talk in VERBS.items():
            heard[verb] = []
            said = blocking(record(talk(case, job), heard[verb]))
            job = said if verb == "submit" else job
    return case, job, heard


@pytest.fixture(params=[(name, verb) for name in CASES for verb in VERBS], ids="-".join)
def answered(request, caplog):
    """A verb of a vendor: its true answers, and what must hold of any others."""
    name, verb = request.param
    case, job, heard = truth(name)
    caplog.set_level(logging.DEBUG)

    def require_sense(replies):
        played = play(VERBS[verb](case, job), replies)
        require_declared(verb, played)
        require_silent(played, caplog)
        assert sum(call.paid for call in played.calls) <= (verb == "submit")

    return heard[verb], require_sense


def test_an_odd_value_anywhere_means_something_or_is_an_error_of_ours(answered):
    heard, require_sense = answered

    for replies in each_place(heard):
        require_sense(replies)


def test_so_does_whatever_else_is_broken_on_the_way(answered):
    heard, require_sense = answered

    @settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def hold(data):
        require_sense(data.draw(mutants(heard)) if heard else [])

    hold()


def require_declared(verb, played):
    if played.error is None:
        assert isinstance(played.value, MEANINGS[verb])
        require_sound(played.value)
        return
    assert isinstance(played.error, ProviderError)
    assert type(played.error) in {KeyRefused, NotSent, Rejected, SubmissionUnknown, Unavailable} or verb != "submit"
    assert not played.bought or isinstance(played.error, SubmissionUnknown)  # else it would be bought again
    assert played.error.reason in FAULTS
    assert played.error.retry_after_s is None or 0 <= played.error.retry_after_s <= 3600


def require_sound(value):
    """It can be stored, and believed."""
    if isinstance(value, Job):
        assert 0 < len(value.request_id) <= REQUEST_ID_AT_MOST
        assert is_storable([value.request_id, dict(value.urls)])
        require_sound(value.snapshot)
    if isinstance(value, Snapshot):
        assert bool(value.outputs) == (value.state is JobState.DONE)
        assert (value.error_code in FAULTS) == (value.state is JobState.FAILED)
        assert value.seed is None or (type(value.seed) is int and abs(value.seed) < 2**63)
        assert value.progress is None or 0 <= value.progress <= 1
        assert value.queue_position is None or 0 <= value.queue_position < 2**31
        amount = value.cost.units if isinstance(value.cost, Billed) else value.cost and value.cost.usd
        assert amount is None or is_sum(amount)
        assert value.retry_after_s is None or 0 <= value.retry_after_s <= 3600
        assert is_storable([value.logs, value.error_code])
        assert all((one.url is None) != (one.content is None) for one in value.outputs)


def is_sum(amount):
    return isinstance(amount, Decimal) and 0 <= amount < 10**8


def is_storable(value):
    """PostgreSQL keeps neither NUL nor half a character; JSON there knows no NaN."""
    try:
        return "\\u0000" not in json.dumps(value, ensure_ascii=False, allow_nan=False).encode().decode()
    except ValueError:
        return False


def require_silent(played, caplog):
    shown = f"{played.value!r} {played.calls!r} {caplog.text}".replace(f"request_id='{SAID}'", "")  # which may be any
    if played.error is not None:
        shown += "".join(traceback.format_exception(played.error)) + repr(getattr(played.error, "extra", ""))
    for secret in ("canary-of-the-key", PROMPT, SAID):
        assert secret not in shown


def test_a_vendor_that_says_nothing_at_all_is_a_vendor_that_is_away():
    for name in CASES:
        case, job, heard = truth(name)
        for verb, talk in VERBS.items():
            played = play(talk(case, job), [])
            assert not heard[verb] or isinstance(played.error, ProviderError)

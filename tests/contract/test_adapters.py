"""What every adapter owes, whatever its vendor and whichever transport carries it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from providers.adapters.fal import Fal
from providers.adapters.mock import Mock
from providers.contract import CancelState, Generation, Job, JobState, Provider

PICTURE = Generation(capability="image.gen", model="", prompt="A red kite over the sea", aspect="16:9")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An adapter at work: at once, slowly, or failing."""

    provider: Provider
    key: str
    slowly: Callable[[], Provider]
    failing: Callable[[Generation], Generation]


def mock_case(emulator) -> Case:
    def failing(generation):
        return replace(generation, params={"mock": {"fail": "PROVIDER_FAILED"}})

    return Case(provider=Mock(), key="", slowly=lambda: Mock(None, "60"), failing=failing)


def fal_case(emulator) -> Case:
    desk, provider = emulator.desks["fal"], Fal(emulator.urls["fal"])

    def slowly():
        desk.clock.freeze()
        desk.pace.queue_s, desk.pace.run_s = 10, 10
        return provider

    def failing(generation):
        desk.plan.add({"on": "submit", "do": "infra_error", "type": "runner_disconnected"})
        return generation

    return Case(provider=provider, key="id:secret", slowly=slowly, failing=failing)


@pytest.fixture(params=[mock_case, fal_case], ids=["mock", "fal"])
def case(request, emulator) -> Case:
    return request.param(emulator)


def ask(case: Case, **changes) -> Generation:
    model = case.provider.default_model("image.gen")
    return replace(PICTURE, model=model, **changes)


def submit(case, converse, generation=None, provider=None) -> Job:
    provider = provider or case.provider
    return converse(provider.submit(generation or ask(case), key=case.key, idem_key="zap:idem:run:step:1:abc"))


def test_a_job_is_made_and_delivers(case, converse):
    job = submit(case, converse)

    seen = converse(case.provider.poll(job, key=case.key))

    assert seen.state is JobState.DONE
    assert len(seen.outputs) == 1
    assert seen.outputs[0].url
    assert seen.error_code is None
    assert seen.cost is not None
    assert seen.cost.usd == {"mock": Decimal(0), "fal": Decimal("0.025")}[case.provider.name]


def test_a_finished_job_gives_the_same_answer_twice(case, converse):
    job = submit(case, converse)

    first = converse(case.provider.poll(job, key=case.key))
    second = converse(case.provider.poll(job, key=case.key))

    assert first == second


def test_a_job_can_be_polled_with_nothing_but_what_was_stored(case, converse):
    job = submit(case, converse)
    stored = Job(request_id=job.request_id, model=job.model, urls=dict(job.urls))

    seen = converse(type(case.provider)(case.provider.base_url).poll(stored, key=case.key))

    assert seen.state is JobState.DONE


def test_a_job_that_waits_has_no_outputs_and_no_error(case, converse):
    provider = case.slowly()
    job = submit(case, converse, provider=provider)

    seen = converse(provider.poll(job, key=case.key))

    assert seen.state is JobState.QUEUED
    assert seen.queue_position is not None
    assert seen.outputs == ()
    assert seen.error_code is None


def test_a_job_that_failed_says_so_in_our_words(case, converse):
    job = submit(case, converse, case.failing(ask(case)))

    seen = converse(case.provider.poll(job, key=case.key))

    assert seen.state is JobState.FAILED
    assert seen.error_code == "PROVIDER_FAILED"
    assert seen.retryable
    assert seen.outputs == ()


def test_a_job_at_work_can_be_asked_to_stop(case, converse):
    provider = case.slowly()
    job = submit(case, converse, provider=provider)

    answer = converse(provider.cancel(job, key=case.key))

    assert answer in (CancelState.REQUESTED, CancelState.CANCELED)


def test_a_finished_job_cannot_be_stopped(case, converse):
    job = submit(case, converse)
    converse(case.provider.poll(job, key=case.key))

    answer = converse(case.provider.cancel(job, key=case.key))

    assert answer is CancelState.ALREADY_TERMINAL


def test_what_can_be_made_passes_the_check(case):
    assert case.provider.check(ask(case)) == []


def test_a_check_names_the_field_that_is_wrong(case):
    wrong = {"mock": ask(case, capability="sculpture.gen"), "fal": ask(case, aspect="7:3")}[case.provider.name]

    fields = [field for field, _ in case.provider.check(wrong)]

    assert fields == {"mock": ["kind"], "fal": ["aspect"]}[case.provider.name]


def test_there_is_no_default_for_what_is_not_made(case):
    assert case.provider.default_model("sculpture.gen") is None


def test_neither_key_nor_prompt_nor_address_is_shown_by_what_an_adapter_returns(case, converse):
    job = submit(case, converse)
    seen = converse(case.provider.poll(job, key=case.key))

    shown = f"{job!r} {seen!r}"

    assert "secret" not in shown
    assert "kite" not in shown
    assert "://" not in shown

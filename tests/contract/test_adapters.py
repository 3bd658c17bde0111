"""What every adapter owes, whatever its vendor and whichever transport carries it."""

from dataclasses import replace

import pytest

from providers.contract import CancelState, Job, JobState
from tests.contract.cases import CASES, EMULATED, Case


@pytest.fixture(params=CASES)
def case(request, emulator) -> Case:
    return CASES[request.param](emulator)


def submit(case, converse, generation=None, provider=None) -> Job:
    provider = provider or case.provider
    return converse(provider.submit(generation or case.asked, key=case.key, idem_key="zap:idem:run:step:1:abc"))


def test_a_job_is_made_and_delivers(case, converse):
    job = submit(case, converse)

    seen = converse(case.provider.poll(job, key=case.key))

    assert seen.state is JobState.DONE
    assert len(seen.outputs) == 1
    assert seen.outputs[0].url
    assert seen.error_code is None
    assert (seen.cost and seen.cost.usd) == case.usd


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


@pytest.mark.parametrize("case", EMULATED, indirect=True)
def test_a_stored_address_of_somebody_else_is_never_asked(case, converse):
    job = submit(case, converse)
    forged = {name: url.replace(case.provider.origin, "http://127.0.0.1:9") for name, url in job.urls.items()}

    seen = converse(case.provider.poll(replace(job, urls=forged), key=case.key))

    assert seen.state is JobState.DONE


def test_a_job_that_waits_has_no_outputs_and_no_error(case, converse):
    provider = case.slowly()
    job = submit(case, converse, provider=provider)

    seen = converse(provider.poll(job, key=case.key))

    assert seen.state is case.waits
    assert (seen.queue_position is not None) == case.has_place
    assert seen.outputs == ()
    assert seen.error_code is None


def test_a_job_that_failed_says_so_in_our_words(case, converse):
    job = submit(case, converse, case.failing(case.asked))

    seen = converse(case.provider.poll(job, key=case.key))

    assert seen.state is JobState.FAILED
    assert seen.error_code == "PROVIDER_FAILED"
    assert seen.retryable
    assert seen.outputs == ()


def test_a_job_at_work_can_be_asked_to_stop(case, converse):
    provider = case.slowly()
    job = submit(case, converse, provider=provider)

    answer = converse(provider.cancel(job, key=case.key))

    stopped = {CancelState.REQUESTED, CancelState.CANCELED}
    assert answer in (stopped if provider.supports_cancel else {CancelState.UNSUPPORTED})


def test_a_finished_job_cannot_be_stopped(case, converse):
    job = submit(case, converse)
    converse(case.provider.poll(job, key=case.key))

    answer = converse(case.provider.cancel(job, key=case.key))

    assert answer is (CancelState.ALREADY_TERMINAL if case.provider.supports_cancel else CancelState.UNSUPPORTED)


def test_what_can_be_made_passes_the_check(case):
    assert case.provider.check(case.asked) == []


def test_a_check_names_the_field_that_is_wrong(case):
    generation, field = case.wrong

    assert [name for name, _ in case.provider.check(generation)] == [field]


def test_there_is_no_default_for_what_is_not_made(case):
    assert case.provider.default_model("sculpture.gen") is None


def test_neither_key_nor_prompt_nor_address_is_shown_by_what_an_adapter_returns(case, converse):
    job = submit(case, converse)
    seen = converse(case.provider.poll(job, key=case.key))

    shown = f"{job!r} {seen!r}"

    assert "secret" not in shown
    assert "kite" not in shown
    assert "://" not in shown

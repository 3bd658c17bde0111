"""What a job owes to whoever buys it, whatever its vendor and whichever transport carries it."""

from providers.contract import CancelState, Cost, Generation, Job, JobState, Provider
from providers.testing.case import Case
from providers.testing.stage import Hold, Stage


class JobPromises(Stage):
    """For every adapter, also one without a vendor."""

    def test_a_job_is_made_and_delivers(self, case: Case, converse: Hold) -> None:
        job = submit(case, converse)

        seen = converse(case.provider.poll(job, key=case.key))

        assert seen.state is JobState.DONE
        assert len(seen.outputs) == 1
        assert seen.outputs[0].url
        assert seen.error_code is None
        assert (seen.cost.usd if isinstance(seen.cost, Cost) else None) == case.usd

    def test_a_finished_job_gives_the_same_answer_twice(self, case: Case, converse: Hold) -> None:
        job = submit(case, converse)

        first = converse(case.provider.poll(job, key=case.key))
        second = converse(case.provider.poll(job, key=case.key))

        assert first == second

    def test_a_job_can_be_polled_with_nothing_but_what_was_stored(self, case: Case, converse: Hold) -> None:
        job = submit(case, converse)
        again = type(case.provider)(case.provider.base_url)
        stored = Job(request_id=job.request_id, model=job.model, urls=dict(job.urls))

        seen = converse(again.poll(stored, key=case.key))

        assert seen.state is JobState.DONE

    def test_a_job_that_waits_has_no_outputs_and_no_error(self, case: Case, converse: Hold) -> None:
        provider = case.slowly()
        job = submit(case, converse, provider=provider)

        seen = converse(provider.poll(job, key=case.key))

        assert seen.state is case.waits
        assert (seen.queue_position is not None) == case.has_place
        assert seen.outputs == ()
        assert seen.error_code is None

    def test_a_job_that_failed_says_so_in_our_words(self, case: Case, converse: Hold) -> None:
        job = submit(case, converse, case.failing(case.asked))

        seen = converse(case.provider.poll(job, key=case.key))

        assert seen.state is JobState.FAILED
        assert seen.error_code == "PROVIDER_FAILED"
        assert seen.retryable
        assert seen.outputs == ()

    def test_a_job_at_work_can_be_asked_to_stop(self, case: Case, converse: Hold) -> None:
        provider = case.slowly()
        job = submit(case, converse, provider=provider)

        answer = converse(provider.cancel(job, key=case.key))

        stopped = {CancelState.REQUESTED, CancelState.CANCELED}
        assert answer in (stopped if provider.supports_cancel else {CancelState.UNSUPPORTED})

    def test_a_finished_job_cannot_be_stopped(self, case: Case, converse: Hold) -> None:
        job = submit(case, converse)
        converse(case.provider.poll(job, key=case.key))

        answer = converse(case.provider.cancel(job, key=case.key))

        assert answer is (CancelState.ALREADY_TERMINAL if case.provider.supports_cancel else CancelState.UNSUPPORTED)

    def test_what_can_be_made_passes_the_check(self, case: Case) -> None:
        assert case.provider.check(case.asked) == []

    def test_a_check_names_the_field_that_is_wrong(self, case: Case) -> None:
        generation, field = case.wrong

        assert [name for name, _ in case.provider.check(generation)] == [field]

    def test_there_is_no_default_for_what_is_not_made(self, case: Case) -> None:
        assert case.provider.default_model("sculpture.gen") is None

    def test_neither_key_nor_prompt_nor_address_is_shown_by_what_an_adapter_returns(
        self, case: Case, converse: Hold
    ) -> None:
        job = submit(case, converse)
        seen = converse(case.provider.poll(job, key=case.key))

        shown = f"{job!r} {seen!r}"

        assert "secret" not in shown
        assert "kite" not in shown
        assert "://" not in shown


def submit(case: Case, converse: Hold, generation: Generation | None = None, provider: Provider | None = None) -> Job:
    provider = provider or case.provider
    job: Job = converse(provider.submit(generation or case.asked, key=case.key, idem_key="zap:idem:run:step:1:abc"))
    return job

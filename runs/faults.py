"""What each error code in a run, step or attempt means to a person.

The tables keep codes only: a code is stable, and a sentence can be mended. No provider's own words are ever kept.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A code's sentence, what to do about it, and whether the same thing may work later."""

    message: str
    remediation: str
    retryable: bool = False


FAULTS: dict[str, Fault] = {
    # The provider would not take the job.
    "SUBMISSION_UNAVAILABLE": Fault(
        "The provider could not be reached; nothing was bought.",
        "Check the network and the provider's status page, then run again.",
        True,
    ),
    "SUBMISSION_UNKNOWN": Fault(
        "It is not known whether the provider accepted the job, so it was not sent again.",
        "Look into the provider's own job list. The step goes on if the job turns up; else cancel the run.",
    ),
    "SUBMISSION_PRECONDITION_FAILED": Fault(
        "Something that the step needs was missing when its job was to be sent; nothing was bought.",
        "Look at the step's inputs and at the steps before it, then run again.",
    ),
    "INPUT_UNREACHABLE": Fault(
        "A picture, clip or sound that goes into the step could not be read; nothing was bought.",
        "Check the input's address, or upload the file itself.",
    ),
    "INPUT_REFUSED": Fault(
        "An input's address does not lead to the public internet; nothing was fetched or bought.",
        "Give an https address on the web, or the file itself.",
    ),
    "INPUT_TOO_LARGE": Fault(
        "What lies at an input's address is larger than we take; nothing was bought.", "Give a smaller file."
    ),
    "INPUT_NOT_MEDIA": Fault(
        "What lies at an input's address is not the picture, clip or sound that the recipe asks for.",
        "Open the address: it must lead to the file itself, not to a page about it.",
    ),
    "PROVIDER_REJECTED": Fault(
        "The provider read the request and refused it.",
        "Check the model's limits: duration, aspect, prompt length, content rules.",
    ),
    "ADDRESS_REFUSED": Fault(
        "The provider's address leads to a private network, or away from the provider; nothing was sent.",
        "Check the provider's _BASE_URL and this machine's name resolution.",
    ),
    "CONTENT_REFUSED": Fault(
        "The provider's content rules refused the prompt or a picture.", "Change the prompt or the picture."
    ),
    "PAUSED_BY_OPERATOR": Fault(
        "An operator paused the account; nothing is sent with it for now.",
        "Wait until the pause is over, or let the account go in the admin.",
        True,
    ),
    "KEY_MISSING": Fault(
        "There is no key for this provider that the run may use.",
        "Store one with `zap keys set PROVIDER`, or ask the operator for leave to use the server's.",
    ),
    "SECRET_UNREADABLE": Fault(
        "The stored key cannot be read.", "Set it again, or put the key that encrypted it back into ZAP_SECRET_KEYS."
    ),
    "VAULT_CLOSED": Fault("This server cannot read stored keys.", "The operator sets ZAP_SECRET_KEYS."),
    "KEY_INVALID": Fault(
        "The provider refused the key.", "Replace the provider's key: it is wrong, expired or revoked."
    ),
    "PROVIDER_AUTH_FAILED": Fault(
        "The provider refused the key.", "Replace the provider's key: it is wrong, expired or revoked."
    ),
    "INSUFFICIENT_CREDITS": Fault(
        "The account at the provider has no credit left.", "Top the account up, then run again."
    ),
    "RATE_LIMITED": Fault("The provider asked us to slow down for longer than we wait.", "Run again later.", True),
    "PROVIDER_RATE_LIMITED": Fault(
        "The provider asked us to slow down for longer than we wait.", "Run again later.", True
    ),
    "PROVIDER_UNAVAILABLE": Fault("The provider is busy or down.", "Run again later.", True),
    "PROVIDER_UNSUPPORTED": Fault(
        "This provider cannot do this kind of step.", "Choose another provider or model in the recipe."
    ),
    "UNKNOWN_MODEL": Fault("This provider has no such model.", "Choose another model in the recipe."),
    "PRICE_UNKNOWN": Fault(
        "There is no price for this model, and live runs need one.", "Choose a priced model, or run with the mock."
    ),
    "PRICE_STALE": Fault(
        "The price of this model was last verified too long ago to spend money by it.",
        "Renew its date in the price book, or run with the mock.",
    ),
    # The provider took it and failed.
    "PROVIDER_FAILED": Fault(
        "The provider accepted the job and failed to do it.", "Run again; if it stays, change model or prompt.", True
    ),
    "PROVIDER_ERROR": Fault(
        "The provider gave an answer that makes no sense.", "Run again; if it stays, choose another provider.", True
    ),
    "PROVIDER_CANCELED": Fault("The job was stopped at the provider, not by us.", "Run again.", True),
    "JOB_LOST": Fault("The provider no longer knows the job.", "Run again.", True),
    "POLL_DEADLINE_EXCEEDED": Fault(
        "The provider did not end the job in time.", "Look into the provider's own job list; run again.", True
    ),
    "POLL_UNAVAILABLE": Fault(
        "The provider took the job and then could not be asked about it.", "Run again later.", True
    ),
    "WEBHOOK_REFUSED": Fault(
        "A call that said it came from the provider was refused; the job is polled as if nobody had called.",
        "Nothing, if it was one; if every call is refused, check the provider's webhook secret and the server's clock.",
    ),
    "WEBHOOK_UNREADABLE": Fault(
        "A webhook's signature could not be checked just now; the job is polled as if nobody had called.",
        "Check that the provider's signing keys can be reached.",
        True,
    ),
    # The result.
    "OUTPUT_MISSING": Fault("The provider says that the job is done and shows no result.", "Run again.", True),
    "OUTPUT_VALIDATION_FAILED": Fault(
        "The result is not media that can be played.", "Run again; if it stays, choose another model.", True
    ),
    "OUTPUT_REFUSED": Fault(
        "The result's address is not one that we fetch from.", "Tell the operator: the provider's media hosts changed."
    ),
    "OUTPUT_TOO_LARGE": Fault("The result is larger than we take.", "Use a shorter clip or a lower quality."),
    "OUTPUT_EXPIRED": Fault("The result was gone before we could fetch it.", "Run again.", True),
    "VIDEO_EXPIRED": Fault("The result was gone before we could fetch it.", "Run again.", True),
    "OUTPUT_UNAVAILABLE": Fault("The result could not be fetched.", "Run again.", True),
    "STORAGE_UNAVAILABLE": Fault("The result could not be stored.", "Check the media storage, then run again.", True),
    # Our own machine.
    "LOCAL_STEP_FAILED": Fault(
        "A step on our own machine failed.", "Look at the worker's log; check the clips that go into it."
    ),
    "LOCAL_INPUT_UNUSABLE": Fault(
        "A step on our own machine was given files that it can make nothing of.",
        "Let the recipe name steps that make clips or sounds.",
    ),
    "LOCAL_OUTPUT_MISSING": Fault(
        "A step on our own machine ended without any file.",
        "Look at what goes into it; if that is right, tell whoever wrote the step kind.",
    ),
    "MEDIA_FAILED": Fault("A media file could not be worked with.", "Look at the worker's log; run again.", True),
    "RENDER_TIMEOUT": Fault(
        "A step on our own machine took too long.", "Use fewer or shorter clips, or a lower quality."
    ),
    "DEADLINE_EXCEEDED": Fault("The step did not end in time.", "Run again.", True),
    "WORKER_LOST": Fault(
        "The workers that did this died, again and again.", "Check the workers' memory and log, then run again.", True
    ),
    "INTERNAL": Fault("Something failed on our side.", "Look at the server's log; run again.", True),
    "SERVICE_CONFIGURATION": Fault(
        "The server is not set up for this.", "Tell the operator; `zap info` shows what there is."
    ),
    # Limits.
    "BUDGET_EXCEEDED": Fault(
        "It would have cost more than the cap.", "Raise the cap, or use fewer, shorter or cheaper steps."
    ),
    "PER_RUN_SPEND_CAP": Fault("It would have cost more than one run may.", "Use fewer, shorter or cheaper steps."),
    "DAILY_SPEND_CAP": Fault("The day's budget is used up.", "Run again tomorrow (UTC), or raise the day's cap.", True),
    "OWNER_SPEND_CAP": Fault("The owner's budget is used up.", "Ask an operator to raise the owner's allowance."),
    "OWNER_DAILY_SPEND_CAP": Fault(
        "The owner's budget for the day is used up.", "Wait for tomorrow (UTC), or ask for a larger allowance.", True
    ),
    "CONCURRENCY_LIMIT": Fault("Too many jobs were at work.", "Run again later.", True),
    "ADMISSION_UNAVAILABLE": Fault("Limits could not be checked, so nothing was begun.", "Run again later.", True),
    # People and neighbours.
    "RUN_CANCELED": Fault("Somebody stopped it.", "Start a new run."),
    "CANCELED": Fault("Somebody stopped it.", "Start a new run."),
    "UPSTREAM_FAILED": Fault("A step before it failed.", "Mend that step first."),
    "JUDGE_FAILED": Fault(
        "No candidate was good enough.",
        "Look at the candidates: approve one, try again, or change the prompt or the judge's criteria.",
    ),
    "JUDGE_UNAVAILABLE": Fault(
        "The judge could not be asked, so a person must look.", "Approve a candidate, or try again later.", True
    ),
    "JUDGE_NO_VERDICT": Fault(
        "The judge gave no verdict that can be used, so a person must look.",
        "Approve a candidate; if it stays, choose another judge or other criteria.",
    ),
    "JUDGE_KEY_REFUSED": Fault(
        "The judge's service refused the key, or its account is empty, so a person must look.",
        "Approve a candidate; set ZAP_JUDGE_KEY to a key of that service that has credit.",
    ),
    "GATE_TIMED_OUT": Fault("Nobody decided in time.", "Run it again, and decide before the gate's time is over."),
    "WHEN_FALSE": Fault("The recipe does not want it with these inputs.", "Nothing is wrong."),
    "REJECTED": Fault("A person refused it.", "Change the prompt, then run again."),
    "INVALID_INPUT": Fault("The inputs are not valid.", "Mend the inputs and run again."),
    "SCHEMA_INVALID": Fault("The recipe is not valid.", "Mend the recipe and run again."),
    "UNKNOWN_ZAP": Fault("There is no such recipe.", "Check the slug."),
}

_UNLISTED = Fault("It failed for a reason that this version has no words for.", "Look at the server's log.")


def explain(code: str) -> Fault:
    """What `code` means; a plain sentence also for one that an adapter of a third party made up."""
    return FAULTS.get(code, _UNLISTED)

"""Drawn by ./dev types from the OpenAPI document. Do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias
from typing_extensions import TypedDict


class AccessRow(TypedDict):
    """
    One time that a key was decrypted.
    """

    provider: str
    keySource: str
    userId: str | None
    usedFor: str
    why: str
    runId: str | None
    stepId: str | None
    attempt: int | None
    at: int


class ApproveRequest(TypedDict, closed=True):
    """
    Which of the results is good.
    """

    stepId: NotRequired[str | None]
    assetId: NotRequired[str | None]
    comment: NotRequired[str]


class AssetRow(TypedDict):
    """
    One row of `assets`.
    """

    assetId: str
    runId: str
    stepId: str
    attempt: int
    chosen: bool
    kind: str
    contentType: str
    url: str
    storageKey: NotRequired[str]
    sha256: str
    sizeBytes: int
    width: int | None
    height: int | None
    durationS: float | None
    parents: list[str]
    createdAt: int


AttemptStatusEnum: TypeAlias = Literal[
    "planned",
    "submitting",
    "accepted",
    "settling",
    "done",
    "failed",
    "canceled",
    "unknown",
    "canceling",
]


class BatchCounts(TypedDict):
    """
    How many rows stand where.
    """

    due: int
    started: int
    waiting: int
    done: int
    failed: int
    canceled: int
    refused: int


class BegunDeparture(TypedDict):
    """
    The same, with its receipt, this once.
    """

    state: str
    waitsFor: list[str]
    askedAt: int
    doneAt: int | None
    receipt: str
    receiptUrl: str


class BudgetRow(TypedDict):
    """
    One budget.
    """

    reservedUsd: float
    spentUsd: float
    capUsd: float | None
    remainingUsd: float | None


class BudgetRows(TypedDict):
    """
    What the caller's next run counts towards.
    """

    owner: BudgetRow
    ownerDay: BudgetRow
    day: BudgetRow


ByEnum: TypeAlias = Literal["day", "owner", "recipe", "provider", "model"]


class CancelRequest(TypedDict, closed=True):
    """
    Nothing needs to be said.
    """


class Choice(TypedDict):
    """
    A result that can be approved.
    """

    assetId: str
    attempt: int
    score: float | None


Flow: TypeAlias = str


Label: TypeAlias = str


class CommentRow(TypedDict):
    """
    What somebody said with a vote.
    """

    vote: str | None
    text: str
    at: int


class CompleteBody(TypedDict, closed=True):
    """
    What a step found.
    """

    leaseToken: str
    result: Any


DeliveryRowStatusEnum: TypeAlias = Literal["waiting", "delivered", "failed"]


class DepartureRow(TypedDict):
    """
    How far the deletion of an account is.
    """

    state: str
    waitsFor: list[str]
    askedAt: int
    doneAt: int | None


class DrainDocument(TypedDict):
    """
    What one cycle did.
    """

    processedCount: int
    errorCount: int
    status: str
    results: list[dict[str, Any]]


class ErrorDetail(TypedDict):
    """
    An error code in words.
    """

    code: str
    message: str
    remediation: str
    retryable: bool


class EventRow(TypedDict):
    """
    One thing that happened to a run.
    """

    seq: int
    type: str
    subject: str
    actor: str
    reason: str | None
    happenedAt: int


EventsEnum: TypeAlias = Literal[
    "run.started", "run.waiting", "run.done", "run.failed", "run.canceled"
]


class FailBody(TypedDict, closed=True):
    """
    Why a step failed.
    """

    leaseToken: str
    error: str
    retry: NotRequired[bool]


class FailureRow(TypedDict):
    """
    How often attempts failed for one reason.
    """

    code: str
    count: int


FeedbackRequestKindEnum: TypeAlias = Literal["rlhf_vote", "aura_score"]


class FeedbackRow(TypedDict):
    """
    One row of `feedback`.
    """

    runId: str
    stepId: str | None
    assetId: str | None
    kind: str
    rater: str
    by: NotRequired[str | None]
    scores: Any
    comment: str | None
    createdAt: int


class FindingRow(TypedDict):
    """
    Something worth changing.
    """

    code: str
    stepId: str | None
    message: str
    suggestion: str


class FireForm(TypedDict, closed=True):
    """
    What a caller may say.
    """

    inputs: NotRequired[dict[str, Any]]


class FiredDocument(TypedDict):
    """
    A run that will begin in a moment. It is its owner's to look at.
    """

    runId: str
    status: str
    statusUrl: str


FlowAttemptStatusEnum: TypeAlias = Literal["canceled", "completed", "failed", "running"]


FlowBeatStatusEnum: TypeAlias = Literal["running"]


FlowDispatchedStatusEnum: TypeAlias = Literal["accepted", "duplicate"]


class FlowEventBody(TypedDict):
    """
    An event. Further fields are kept and handed on.
    """

    id: str
    type: str
    source: NotRequired[str | None]
    occurredAt: NotRequired[str | None]
    receivedAt: NotRequired[str | None]
    payload: NotRequired[Any]


class FlowMiss(TypedDict):
    """
    A step that listens to an event's type and did not start.
    """

    flow: str
    step: str
    reason: str


FlowOutputRowKindEnum: TypeAlias = Literal["agent", "stderr", "stdout", "system"]


class FlowReplayBody(TypedDict):
    """
    How an event is replayed.
    """

    wait: NotRequired[bool]


FlowReportedStatusEnum: TypeAlias = Literal["completed", "failed", "queued"]


FlowRunStatusEnum: TypeAlias = Literal[
    "canceled", "completed", "failed", "queued", "running"
]


FlowRunnerEnum: TypeAlias = Literal["bun", "code-mode", "node", "python", "shell"]


FlowShownStatusEnum: TypeAlias = Literal[
    "blocked",
    "canceled",
    "changed",
    "completed",
    "failed",
    "needs_intervention",
    "queued",
    "running",
    "skipped",
]


class FlowStepDefinition(TypedDict):
    """
    A step as its manifest has it.
    """

    name: str
    runner: FlowRunnerEnum
    script: str
    timeoutMs: NotRequired[int]
    cwd: NotRequired[str]
    trigger: NotRequired[dict[str, Any]]
    labels: NotRequired[list[str]]
    priority: NotRequired[int]
    delayMs: NotRequired[int]
    maxAttempts: NotRequired[int]
    backoffMs: NotRequired[int]
    retryOnFail: NotRequired[bool]
    concurrency: NotRequired[dict[str, Any]]


class FlowStored(TypedDict):
    """
    How far the output is stored.
    """

    lastSeq: int
    isCut: bool


FlowSyncedStatusEnum: TypeAlias = Literal["created", "updated"]


FormatEnum: TypeAlias = Literal["csv", "jsonl"]


class HeartbeatBody(TypedDict, closed=True):
    """
    A worker that is still at it.
    """

    leaseToken: str
    leaseMs: NotRequired[float]


class InputRow(TypedDict):
    """
    What a recipe asks its caller for.
    """

    name: str
    type: str
    required: bool
    label: str | None
    hint: str | None
    options: list[str]


class KeepRequest(TypedDict, closed=True):
    """
    Whether to.
    """

    keep: bool


KeySourceEnum: TypeAlias = Literal["request", "creator", "operator", "none"]


class LineRow(TypedDict):
    """
    What came of one price.
    """

    model: str
    variant: str
    unit: str | None
    oldUsd: float | None
    newUsd: float | None
    taken: bool
    changed: bool
    code: str | None
    message: str | None


class LineageRow(TypedDict):
    """
    Where a compiled recipe comes from.
    """

    sourceZap: str
    sourceVersion: int


class LoginForm(TypedDict, closed=True):
    """
    Who one is.
    """

    username: str
    password: str


MailOnEnum: TypeAlias = Literal["run.waiting", "run.done", "run.failed"]


class MaskRow(TypedDict):
    """
    What may be shown of one value.
    """

    name: str
    lastFour: str | None
    fingerprint: str


ModeEnum: TypeAlias = Literal["plan", "mock", "live"]


class NeededRow(TypedDict):
    """
    What a provider's key is made of.
    """

    provider: str
    names: list[str]
    uses: KeySourceEnum | None


class NothingForm(TypedDict, closed=True):
    """
    Nothing needs to be said.
    """


OffReasonEnum: TypeAlias = Literal["not_offered", "switched_off", "no_address"]


class OutputBody(TypedDict, closed=True):
    """
    Pieces of output: `{seq, kind, text}`.
    """

    leaseToken: str
    output: list[dict[str, Any]]


OverlapEnum: TypeAlias = Literal["skip", "allow"]


class PatchedWebhookChange(TypedDict, closed=True):
    """
    What is to be different of it.
    """

    url: NotRequired[str]
    events: NotRequired[list[EventsEnum]]
    description: NotRequired[str]
    isOn: NotRequired[bool]


class PausedAccount(TypedDict):
    """
    The account that the caller's run would use: the provider asked us to slow down.
    """

    pausedUntil: int
    requestsPerS: float | None
    jobsInFlight: int | None
    dayCapUsd: float | None


PausedModelStatusEnum: TypeAlias = Literal["open", "half_open"]


class PlanRequest(TypedDict, closed=True):
    """
    What may be said about a plan of a recipe in the catalogue.
    """

    version: NotRequired[int | None]
    inputs: NotRequired[dict[str, Any]]
    extendCount: NotRequired[int | None]
    provider: NotRequired[str | None]
    maxUsd: NotRequired[float | None]


class PlannedStepRow(TypedDict):
    """
    One step of a plan, or of a run just begun.
    """

    stepId: str
    order: int
    kind: str
    provider: str
    model: str | None
    candidates: int
    quoteUsd: float
    firstUsd: float
    status: str
    parents: list[str]
    prompt: NotRequired[str]


PriceEnum: TypeAlias = Literal["priced", "stale", "unpriced"]


class PriceRequest(TypedDict, closed=True):
    """
    A price to set, or, with `usd` null, to take back.
    """

    provider: str
    model: str
    variant: NotRequired[str]
    unit: NotRequired[str]
    usd: float | None
    source: str
    verifiedAt: NotRequired[str]


PricedByEnum: TypeAlias = Literal["nobody", "operator", "book"]


class ProblemRow(TypedDict):
    """
    One thing that is wrong, or that a plan warns of: core.errors.Problem.
    """

    code: str
    message: str
    line: int | None
    column: int | None
    path: str | None


ProofEnum: TypeAlias = Literal["none", "signed", "token"]


ProviderModeEnum: TypeAlias = Literal["mock", "live"]


Tag: TypeAlias = str


class QuoteDocument(TypedDict):
    """
    What a batch would cost. Nothing was stored.
    """

    slug: str
    version: int | None
    mode: str
    rowCount: int
    quoteUsd: float
    mostUsd: float
    maxUsd: float


Provider: TypeAlias = str


class ReachRequest(TypedDict, closed=True):
    """
    Whom to ask.
    """

    providers: NotRequired[list[Provider]]


class ReachedRow(TypedDict):
    """
    What came of asking a provider.
    """

    provider: str
    reachable: bool | None
    keyOk: bool | None
    code: str | None
    message: str
    tookMs: int


class Reason(TypedDict):
    """
    A code in words.
    """

    code: str
    message: str
    remediation: str
    retryable: bool


RunId: TypeAlias = str


class RedriveRequest(TypedDict, closed=True):
    """
    Which runs to make go on.
    """

    runIds: list[RunId]
    comment: NotRequired[str]


class RedriveRow(TypedDict):
    """
    What became of one run.
    """

    runId: str
    stepIds: list[str]
    redriven: bool
    error: str | None
    message: str | None


class RejectRequest(TypedDict, closed=True):
    """
    Which step's results are not good.
    """

    stepId: NotRequired[str | None]
    comment: NotRequired[str]


class ReleaseBody(TypedDict, closed=True):
    """
    A run that is given back.
    """

    leaseToken: str
    delayMs: NotRequired[int]


class RerunRequest(TypedDict, closed=True):
    """
    From where to make the run again.
    """

    stepId: str
    comment: NotRequired[str]
    maxUsd: NotRequired[float | None]


class ResumeForm(TypedDict, closed=True):
    """
    More money for a batch.
    """

    maxUsd: float


class ResumeRequest(TypedDict, closed=True):
    """
    How much the rest may cost.
    """

    maxUsd: NotRequired[float | None]


class RetentionForm(TypedDict, closed=True):
    """
    How long.
    """

    days: int | None


class RetentionRow(TypedDict):
    """
    For how many days after their end the caller's runs are kept. Null: for ever.
    """

    days: int | None
    mostDays: int | None
    effectiveDays: int | None


class RetryRequest(TypedDict, closed=True):
    """
    Which step to make again.
    """

    stepId: NotRequired[str | None]
    comment: NotRequired[str]
    maxUsd: NotRequired[float | None]


RoleEnum: TypeAlias = Literal["make", "judge"]


class RotateForm(TypedDict, closed=True):
    """
    How to go over from the old to the new.
    """

    overlapS: NotRequired[int]


RunStatusEnum: TypeAlias = Literal[
    "queued", "running", "waiting", "done", "failed", "canceled"
]


class RunWebhook(TypedDict, closed=True):
    """
    Who is told of this run alone.
    """

    url: str
    secret: str
    events: NotRequired[list[EventsEnum]]


class ScheduleForm(TypedDict, closed=True):
    """
    A schedule that is wanted: either cron or everyS.
    """

    name: NotRequired[str]
    slug: str
    version: NotRequired[int | None]
    inputs: NotRequired[dict[str, Any]]
    mode: NotRequired[ProviderModeEnum]
    maxUsd: NotRequired[float | None]
    cron: NotRequired[str]
    everyS: NotRequired[int | None]
    timeZone: NotRequired[str]
    overlap: NotRequired[OverlapEnum]
    maxUsdPerDay: NotRequired[float | None]
    giveUpAfter: NotRequired[int]


class ScheduleRow(TypedDict):
    """
    A schedule.
    """

    name: str
    slug: str
    version: int | None
    mode: str
    inputs: Any
    maxUsd: float | None
    userId: str
    madeBy: str
    createdAt: int
    scheduleId: str
    cron: str | None
    everyS: int | None
    timeZone: str
    overlap: str
    maxUsdPerDay: float | None
    giveUpAfter: int
    status: str
    reason: Reason | None
    failures: int
    lastError: Reason | None
    nextAt: int | None


ScopesEnum: TypeAlias = Literal[
    "read", "run", "live", "publish", "secrets", "prices", "keys", "flows", "account"
]


class ScoresRow(TypedDict):
    """
    What judges said: of each result, the worst score.
    """

    count: int
    min: float
    median: float
    passedShare: float | None


class SecretRow(TypedDict):
    """
    A provider's key, masked.
    """

    provider: str
    runId: str | None
    values: list[MaskRow]
    setBy: str
    createdAt: int
    updatedAt: int
    rotatedAt: int | None


class SecretsDocument(TypedDict):
    """
    The keys that are kept, masked, and what each provider needs.
    """

    secrets: list[SecretRow]
    providers: list[NeededRow]


SetByEnum: TypeAlias = Literal["book", "operator"]


class SetRow(TypedDict):
    """
    A price as it was set. Rows are never changed.
    """

    provider: str
    model: str
    variant: str
    unit: str
    usd: float | None
    source: str
    verifiedAt: str
    setBy: str
    setAt: int


class ShareForm(TypedDict, closed=True):
    """
    How long the run is shown.
    """

    expiresInS: NotRequired[int]


class ShareRow(TypedDict):
    """
    A read token, without what opens the run.
    """

    shareId: str
    state: str
    sharedBy: str
    createdAt: int
    expiresAt: int
    lastUsedAt: int | None
    revokedAt: int | None


class ShownKeyRow(TypedDict):
    """
    A key with its token, this once.
    """

    prefix: str
    name: str
    userId: str
    scopes: list[ScopesEnum]
    state: str
    createdAt: int
    expiresAt: int | None
    lastUsedAt: int | None
    rotatedAt: int | None
    oldUntil: int | None
    revokedAt: int | None
    token: str


class ShownShareRow(TypedDict):
    """
    A read token, this once.
    """

    shareId: str
    state: str
    sharedBy: str
    createdAt: int
    expiresAt: int
    lastUsedAt: int | None
    revokedAt: int | None
    token: str
    url: str


class ShownTriggerRow(TypedDict):
    """
    A trigger, this once.
    """

    name: str
    slug: str
    version: int | None
    mode: str
    inputs: Any
    maxUsd: float | None
    userId: str
    madeBy: str
    createdAt: int
    triggerId: str
    allowedInputs: list[str]
    maxUsdPerDay: float | None
    perMinute: int
    state: str
    rotatedAt: int | None
    lastUsedAt: int | None
    revokedAt: int | None
    token: str
    url: str


class ShownWebhookRow(TypedDict):
    """
    A webhook endpoint with its secret, this once.
    """

    hookId: str
    userId: str
    runId: str | None
    url: str
    description: str | None
    events: list[str]
    isOn: bool
    offReason: str | None
    failures: int
    failingSince: int | None
    oldSecretUntil: int | None
    createdAt: int
    rotatedAt: int | None
    secret: str


class SignForm(TypedDict, closed=True):
    """
    What is to be sent.
    """

    name: NotRequired[str]
    contentType: str
    size: int


class SignedRow(TypedDict):
    """
    Where the file goes: POST `formFields`, and `file` as the last one, to `url` as multipart/form-data.
    """

    id: str
    url: str
    formFields: dict[str, str]
    expiresAt: int
    completeUrl: str


class SourceSums(TypedDict):
    """
    How the actual cost became known, in USD.
    """

    reported: float
    derived: float
    quoted: float


class SpreadRow(TypedDict):
    """
    How much it takes.
    """

    min: float
    median: float
    p95: float


StageEnum: TypeAlias = Literal[
    "queued", "generating", "assembling", "review", "complete", "failed", "canceled"
]


class StepAttempts(TypedDict):
    """
    One try, with the step that it belongs to.
    """

    error: str | None
    errorDetail: ErrorDetail | None
    number: int
    round: int
    role: RoleEnum
    status: AttemptStatusEnum
    provider: str
    model: str | None
    idemKey: NotRequired[str]
    providerRequestId: NotRequired[str | None]
    progress: float | None
    queuePosition: int | None
    seed: int | None
    logs: list[str]
    polls: int
    tries: int
    priceQuoteUsd: float
    reservedUsd: float
    actualUsd: float | None
    costSource: str | None
    createdAt: int
    submittedAt: int | None
    acceptedAt: int | None
    settlingAt: int | None
    finishedAt: int | None
    nextCheckAt: int | None
    stepId: str


StepStatusEnum: TypeAlias = Literal[
    "queued", "running", "waiting", "done", "failed", "skipped", "canceled"
]


class SyncRequest(TypedDict, closed=True):
    """
    Whom to ask.
    """

    providers: NotRequired[list[Provider]]
    dryRun: NotRequired[bool]


class SyncedRow(TypedDict):
    """
    What came of asking one vendor.
    """

    provider: str
    prices: list[LineRow]
    code: str | None
    message: str | None


AllowedInput: TypeAlias = str


class TriggerForm(TypedDict, closed=True):
    """
    A trigger that is wanted: `inputs` are fixed, `allowedInputs` are left to whoever calls.
    """

    name: NotRequired[str]
    slug: str
    version: NotRequired[int | None]
    inputs: NotRequired[dict[str, Any]]
    mode: NotRequired[ProviderModeEnum]
    maxUsd: NotRequired[float | None]
    allowedInputs: NotRequired[list[AllowedInput]]
    perMinute: NotRequired[int]
    maxUsdPerDay: NotRequired[float | None]


class TriggerRow(TypedDict):
    """
    A trigger, without what opens it.
    """

    name: str
    slug: str
    version: int | None
    mode: str
    inputs: Any
    maxUsd: float | None
    userId: str
    madeBy: str
    createdAt: int
    triggerId: str
    allowedInputs: list[str]
    maxUsdPerDay: float | None
    perMinute: int
    state: str
    rotatedAt: int | None
    lastUsedAt: int | None
    revokedAt: int | None


class TryRow(TypedDict):
    """
    One try.
    """

    at: int
    status: int | None
    ms: int
    code: str


class UploadForm(TypedDict):
    """
    What is sent.
    """

    file: str


class UploadRow(TypedDict):
    """
    A file that runs may be given, as `upload:{uploadId}`.
    """

    uploadId: str
    contentType: str
    sizeBytes: int
    width: int | None
    height: int | None
    durationS: float | None
    expiresAt: int


class UsageSums(TypedDict):
    """
    Sums over attempts that cost something.
    """

    count: int
    quoteUsd: float
    actualUsd: float
    differenceUsd: float
    overshootUsd: float
    sources: SourceSums


class UsageSumsRow(TypedDict):
    """
    The same of one day, owner, recipe, provider or model: of whatever stands in `by`.
    """

    count: int
    quoteUsd: float
    actualUsd: float
    differenceUsd: float
    overshootUsd: float
    sources: SourceSums
    day: NotRequired[str]
    userId: NotRequired[str | None]
    owner: NotRequired[str | None]
    recipe: NotRequired[str]
    provider: NotRequired[str]
    model: NotRequired[str]


class UserRow(TypedDict):
    """
    Somebody with an account.
    """

    userId: str
    name: str
    isStaff: bool


class ValidateDocument(TypedDict):
    """
    What is wrong with a recipe; where nothing is, what it asks for and may cost.
    """

    ok: bool
    errors: list[ProblemRow]
    slug: NotRequired[str]
    steps: NotRequired[int]
    estimateUsd: NotRequired[float]
    capUsd: NotRequired[float]
    inputs: NotRequired[list[InputRow]]
    providers: NotRequired[list[str]]


class ValidateRequest(TypedDict, closed=True):
    """
    The text of a recipe. `zapMd` is an old word for `source`.
    """

    source: NotRequired[str]
    zapMd: NotRequired[str]
    prompts: NotRequired[dict[str, str]]


VisibilityEnum: TypeAlias = Literal["public", "unlisted", "private"]


VoteEnum: TypeAlias = Literal["up", "down"]


class VotesRow(TypedDict):
    """
    What people said.
    """

    up: int
    down: int
    comments: list[CommentRow]


WaitReasonEnum: TypeAlias = Literal[
    "dependency",
    "provider_queue",
    "provider_limit",
    "provider_paused",
    "rate_limit",
    "budget",
    "approval",
    "backoff",
    "submission_unknown",
]


class Waits(TypedDict):
    """
    What a waiting step asks of a person.
    """

    reason: str
    message: str
    since: int | None
    until: int | None
    onTimeout: str | None
    choices: list[Choice]


WaitsForEnum: TypeAlias = Literal["concurrency", "due", "worker"]


class WebhookForm(TypedDict, closed=True):
    """
    A receiver.
    """

    url: str
    events: NotRequired[list[EventsEnum]]
    description: NotRequired[str]


class WebhookRow(TypedDict):
    """
    A webhook endpoint, without its secret.
    """

    hookId: str
    userId: str
    runId: str | None
    url: str
    description: str | None
    events: list[str]
    isOn: bool
    offReason: str | None
    failures: int
    failingSince: int | None
    oldSecretUntil: int | None
    createdAt: int
    rotatedAt: int | None


class WebhooksRow(TypedDict):
    """
    Whether the provider calls when a job has ended.
    """

    proof: ProofEnum
    on: bool
    offReason: OffReasonEnum | None


class WishDocument(TypedDict):
    """
    What is sent to the caller, and where.
    """

    mailOn: list[str]
    address: str | None
    isAvailable: bool


class WishForm(TypedDict, closed=True):
    """
    Of what the caller wants to be told by mail.
    """

    mailOn: list[MailOnEnum]


ZapStatusEnum: TypeAlias = Literal["draft", "published"]


class Problem(TypedDict):
    """
    RFC 9457. `code` is stable: branch on it. Some codes bring fields of their own.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    remediation: str
    retryable: bool
    errors: list[ProblemRow]


class RunSummary(TypedDict):
    runId: str
    parentRunId: str | None
    zapSlug: str
    status: RunStatusEnum
    stage: StageEnum
    waitReason: WaitReasonEnum | None
    error: str | None
    providerMode: ProviderModeEnum
    revision: int
    costUsd: float
    zapUrl: str | None
    startedAt: int
    finishedAt: int | None
    statusUrl: str
    eventsUrl: str


class RunNews(TypedDict):
    runs: list[RunSummary]


class AcceptedDocument(TypedDict):
    """
    A run that will begin in a moment.
    """

    runId: str
    status: str
    statusUrl: str
    eventsUrl: str
    quoteUsd: float
    mostUsd: float
    capUsd: float
    steps: list[PlannedStepRow]
    warnings: list[ProblemRow]


class AccessPage(TypedDict):
    """
    Some accesses, newest first.
    """

    accesses: list[AccessRow]
    nextCursor: str | None


class AttemptList(TypedDict):
    """
    Every try of a run, oldest first.
    """

    attempts: list[StepAttempts]


class AttemptRow(TypedDict):
    """
    One try at a step.
    """

    error: str | None
    errorDetail: ErrorDetail | None
    number: int
    round: int
    role: RoleEnum
    status: AttemptStatusEnum
    provider: str
    model: str | None
    idemKey: NotRequired[str]
    providerRequestId: NotRequired[str | None]
    progress: float | None
    queuePosition: int | None
    seed: int | None
    logs: list[str]
    polls: int
    tries: int
    priceQuoteUsd: float
    reservedUsd: float
    actualUsd: float | None
    costSource: str | None
    createdAt: int
    submittedAt: int | None
    acceptedAt: int | None
    settlingAt: int | None
    finishedAt: int | None
    nextCheckAt: int | None


class BatchForm(TypedDict, closed=True):
    """
    A batch that is wanted. `inputs` are for every row that does not say otherwise.
    """

    name: NotRequired[str]
    slug: str
    version: NotRequired[int | None]
    inputs: NotRequired[dict[str, Any]]
    mode: NotRequired[ProviderModeEnum]
    maxUsd: float
    format: FormatEnum
    rows: str
    maxUsdPerRun: NotRequired[float | None]
    dryRun: NotRequired[bool]


class BatchRow(TypedDict):
    """
    A batch.
    """

    name: str
    slug: str
    version: int | None
    mode: str
    inputs: Any
    maxUsd: float
    userId: str
    madeBy: str
    createdAt: int
    batchId: str
    maxUsdPerRun: float | None
    rowCount: int
    quoteUsd: float
    mostUsd: float
    status: str
    reason: Reason | None
    finishedAt: int | None


class CheckedDocument(TypedDict):
    """
    What came of trying a key.
    """

    provider: str
    keySource: KeySourceEnum | None
    ok: bool | None
    code: str | None
    message: str


class ClaimBody(TypedDict, closed=True):
    """
    Which runs a worker wants.
    """

    workerId: str
    count: NotRequired[int]
    leaseMs: NotRequired[float]
    runners: NotRequired[list[FlowRunnerEnum]]
    flows: NotRequired[list[Flow]]
    labels: NotRequired[list[Label]]
    waitMs: NotRequired[int]


class DeadLetterRow(TypedDict):
    """
    A failed step of a failed run.
    """

    error: str | None
    errorDetail: ErrorDetail | None
    runId: str
    stepId: str
    zapSlug: str
    providerMode: ProviderModeEnum
    userId: str | None
    kind: str
    provider: str
    model: str | None
    costUsd: float | None
    failedAt: int


class DeliveryRow(TypedDict):
    """
    One message to one receiver. What was said to it is not repeated here, nor what it answered.
    """

    eventId: str
    type: str
    runId: str | None
    status: DeliveryRowStatusEnum
    happenedAt: int
    nextTryAt: int | None
    endedAt: int | None
    tries: list[TryRow]


class EventPage(TypedDict):
    """
    Some of a run's events, oldest first.
    """

    events: list[EventRow]
    nextCursor: str | None


class FeedbackRequest(TypedDict, closed=True):
    """
    What somebody thinks of a run, of a step, or of an asset: a vote, scores or a comment.
    """

    stepId: NotRequired[str | None]
    assetId: NotRequired[str | None]
    vote: NotRequired[VoteEnum | None]
    scores: NotRequired[dict[str, Any] | None]
    comment: NotRequired[str]
    kind: NotRequired[FeedbackRequestKindEnum]


class FiringRow(TypedDict):
    """
    One time that a run was begun, or should have been.
    """

    status: str
    error: str | None
    errorDetail: Reason | None
    dueAt: int
    times: int
    number: int | None
    line: int | None
    inputs: Any
    runId: str | None
    runStatus: str | None
    costUsd: float | None
    beganAt: int | None
    endedAt: int | None


class FlowAttemptRow(TypedDict):
    """
    One worker's try at a run.
    """

    id: str
    attemptId: str
    attemptNumber: int
    status: FlowAttemptStatusEnum
    workerId: str
    leaseExpiresAt: int
    lastHeartbeatAt: str
    error: NotRequired[str]
    outputIsCut: bool
    startedAt: str
    completedAt: NotRequired[str]


class FlowBeat(TypedDict):
    """
    A lease that was kept.
    """

    status: FlowBeatStatusEnum
    leaseExpiresAt: int


class FlowEventRow(TypedDict):
    """
    An event as it was accepted.
    """

    id: str
    type: str
    source: NotRequired[str | None]
    occurredAt: NotRequired[str | None]
    receivedAt: NotRequired[str | None]
    payload: NotRequired[Any]
    eventId: str
    raw: dict[str, Any]
    missed: list[FlowMiss]
    replays: int
    createdAt: str


class FlowLease(TypedDict):
    """
    A claimed run, and everything that is needed to carry it out.
    """

    runId: str
    attemptId: str
    attemptNumber: int
    maxAttempts: int
    leaseToken: str
    leaseExpiresAt: int
    flowName: str
    flowVersion: float
    stepName: str
    runner: FlowRunnerEnum
    replay: bool
    step: FlowStepDefinition
    config: Any
    root: str
    revision: int
    event: dict[str, Any]


class FlowManifestBody(TypedDict):
    """
    A flow as its author wrote it.
    """

    name: NotRequired[str]
    version: float
    description: NotRequired[str]
    root: NotRequired[str]
    config: NotRequired[Any]
    steps: NotRequired[list[FlowStepDefinition]]


class FlowManifestRow(TypedDict):
    """
    A flow as it was last synced.
    """

    name: NotRequired[str]
    version: float
    description: NotRequired[str]
    root: NotRequired[str]
    config: NotRequired[Any]
    steps: NotRequired[list[FlowStepDefinition]]
    revision: int
    isDisabled: bool
    syncedAt: str
    createdAt: str
    updatedAt: str


class FlowOutputRow(TypedDict):
    """
    One piece of output.
    """

    attemptNumber: int
    seq: int
    kind: FlowOutputRowKindEnum
    text: str
    createdAt: str


class FlowReported(TypedDict):
    """
    What a report made of the run.
    """

    status: FlowReportedStatusEnum
    runId: str


class FlowRunRow(TypedDict):
    """
    A run. Moments are ISO 8601; what is absent is left out.
    """

    id: str
    runId: str
    eventId: str
    flowName: str
    flowVersion: float
    stepName: str
    runner: FlowRunnerEnum
    backend: str
    status: FlowRunStatusEnum
    effectiveStatus: FlowShownStatusEnum
    needsAttention: bool
    replay: int
    attemptCount: int
    maxAttempts: int
    priority: int
    waitsFor: NotRequired[WaitsForEnum]
    isDead: bool
    error: NotRequired[str]
    result: NotRequired[Any]
    createdAt: str
    updatedAt: str
    dueAt: NotRequired[str]
    startedAt: NotRequired[str]
    completedAt: NotRequired[str]


class FlowSynced(TypedDict):
    """
    A flow that was synced.
    """

    manifest: FlowManifestRow
    status: FlowSyncedStatusEnum


class FlowWholeRun(TypedDict):
    """
    A run with its attempts and the last of its output: 500 pieces, or a million bytes.
    """

    id: str
    runId: str
    eventId: str
    flowName: str
    flowVersion: float
    stepName: str
    runner: FlowRunnerEnum
    backend: str
    status: FlowRunStatusEnum
    effectiveStatus: FlowShownStatusEnum
    needsAttention: bool
    replay: int
    attemptCount: int
    maxAttempts: int
    priority: int
    waitsFor: NotRequired[WaitsForEnum]
    isDead: bool
    error: NotRequired[str]
    result: NotRequired[Any]
    createdAt: str
    updatedAt: str
    dueAt: NotRequired[str]
    startedAt: NotRequired[str]
    completedAt: NotRequired[str]
    step: FlowStepDefinition
    attempts: list[FlowAttemptRow]
    output: list[FlowOutputRow]


class ForkRequest(TypedDict, closed=True):
    """
    What the new run does differently.
    """

    inputs: NotRequired[dict[str, Any]]
    extendCount: NotRequired[int | None]
    mode: NotRequired[ModeEnum]
    maxUsd: NotRequired[float | None]


class HistoryDocument(TypedDict):
    """
    What the operator set for one model and variant, newest first.
    """

    history: list[SetRow]


class KeyForm(TypedDict, closed=True):
    """
    A key that is wanted.
    """

    name: str
    scopes: NotRequired[list[ScopesEnum]]
    expiresInDays: NotRequired[int | None]


class KeyRow(TypedDict):
    """
    An API key, without what opens doors.
    """

    prefix: str
    name: str
    userId: str
    scopes: list[ScopesEnum]
    state: str
    createdAt: int
    expiresAt: int | None
    lastUsedAt: int | None
    rotatedAt: int | None
    oldUntil: int | None
    revokedAt: int | None


class ListedModel(TypedDict):
    """
    A model that is listed.
    """

    model: str
    kinds: list[str]
    price: PriceEnum


class PatchedScheduleChange(TypedDict, closed=True):
    """
    What is to be different. `paused` stands alone.
    """

    name: NotRequired[str]
    slug: NotRequired[str]
    version: NotRequired[int | None]
    inputs: NotRequired[dict[str, Any]]
    mode: NotRequired[ProviderModeEnum]
    maxUsd: NotRequired[float | None]
    cron: NotRequired[str]
    everyS: NotRequired[int | None]
    timeZone: NotRequired[str]
    overlap: NotRequired[OverlapEnum]
    maxUsdPerDay: NotRequired[float | None]
    giveUpAfter: NotRequired[int]
    paused: NotRequired[bool]


class PausedModel(TypedDict):
    """
    A model that failed so often that it is left alone for a while.
    """

    model: str | None
    status: PausedModelStatusEnum
    error: str | None
    retryAt: int


class PlanDocument(TypedDict):
    """
    What a run would do and cost at most. Nothing was stored.
    """

    runId: str | None
    status: str
    slug: str
    version: int
    mode: str
    quoteUsd: float
    mostUsd: float
    capUsd: float
    steps: list[PlannedStepRow]
    warnings: list[ProblemRow]


class PriceRow(TypedDict):
    """
    What one unit of a model costs.
    """

    provider: str
    model: str
    variant: str
    unit: str
    usd: float
    source: str
    verifiedAt: str
    ageDays: int
    stale: bool
    setBy: SetByEnum


class PricesDocument(TypedDict):
    """
    Some of the book as it counts now, by provider, model and variant.
    """

    prices: list[PriceRow]
    nextCursor: str | None


class ProviderRow(TypedDict):
    """
    A provider, as the caller finds it.
    """

    provider: str
    kinds: list[str]
    configured: bool
    keySource: KeySourceEnum | None
    missing: list[str]
    host: str | None
    pricedBy: PricedByEnum
    models: list[ListedModel]
    webhooks: WebhooksRow
    pausedModels: list[PausedModel]
    pausedAccount: PausedAccount | None


class ProvidersDocument(TypedDict):
    """
    Every provider, by name.
    """

    providers: list[ProviderRow]


class PublishRequest(TypedDict, closed=True):
    """
    A recipe for the catalogue, and what lists should show of it.
    """

    source: NotRequired[str]
    zapMd: NotRequired[str]
    prompts: NotRequired[dict[str, str]]
    slug: NotRequired[str]
    status: NotRequired[ZapStatusEnum]
    title: NotRequired[str]
    description: NotRequired[str]
    tags: NotRequired[list[Tag]]
    visibility: NotRequired[VisibilityEnum]
    heroAssetUrl: NotRequired[str]
    compiledFromRunId: NotRequired[str]


class ReachedDocument(TypedDict):
    """
    What came of it.
    """

    results: list[ReachedRow]


class RedriveDocument(TypedDict):
    """
    What became of each.
    """

    redrivenCount: int
    results: list[RedriveRow]


class RunFactsRow(TypedDict):
    """
    The runs by how they ended. Costs, quote and times are of those that are done.
    """

    count: int
    done: int
    failed: int
    canceled: int
    open: int
    totalUsd: float
    quoteUsd: float | None
    costUsd: SpreadRow | None
    wallS: SpreadRow | None


class RunRequest(TypedDict, closed=True):
    """
    A recipe, by slug or by text, and what to do with it.
    """

    version: NotRequired[int | None]
    inputs: NotRequired[dict[str, Any]]
    extendCount: NotRequired[int | None]
    provider: NotRequired[str | None]
    maxUsd: NotRequired[float | None]
    slug: NotRequired[str]
    source: NotRequired[str]
    prompts: NotRequired[dict[str, str]]
    mode: NotRequired[ModeEnum]
    live: NotRequired[bool]
    dryRun: NotRequired[bool]
    secrets: NotRequired[dict[str, Any]]
    webhook: NotRequired[RunWebhook | None]


class RunRow(TypedDict):
    """
    One row of `runs`.
    """

    error: str | None
    errorDetail: ErrorDetail | None
    runId: str
    parentRunId: str | None
    zapSlug: str
    zapVersion: int
    zapUrl: str | None
    output: str
    status: RunStatusEnum
    stage: StageEnum
    waitReason: WaitReasonEnum | None
    providerMode: ProviderModeEnum
    sessionId: NotRequired[str | None]
    userId: NotRequired[str | None]
    principalId: NotRequired[str | None]
    inputs: Any
    contentHash: str
    revision: int
    quoteUsd: float
    capUsd: float
    reservedUsd: float
    costUsd: float
    startedAt: int
    finishedAt: int | None
    kept: bool
    can: list[str]
    statusUrl: str
    eventsUrl: str


class SchedulePage(TypedDict):
    """
    Some schedules, newest first.
    """

    schedules: list[ScheduleRow]
    nextCursor: str | None


class SessionDocument(TypedDict):
    """
    Who is calling, and what they may do.
    """

    user: UserRow | None
    scopes: list[ScopesEnum]
    keyPrefix: str | None
    csrfToken: str | None


class SharePage(TypedDict):
    """
    Some read tokens of a run, newest first.
    """

    shares: list[ShareRow]
    nextCursor: str | None


class StepFactsRow(TypedDict):
    """
    A step of the recipe over all runs, with everything that it was repeated into.
    """

    stepId: str
    kind: str
    done: int
    failed: int
    skipped: int
    attempts: int
    failedAttempts: int
    failures: list[FailureRow]
    retries: int
    byFallback: int
    reused: int
    results: int
    choices: int
    firstChosen: int
    judgeFailures: int
    costUsd: float
    costShare: float
    medianS: float | None
    timeShare: float
    scores: ScoresRow | None
    votes: VotesRow


class StepRow(TypedDict):
    """
    One row of `steps`, with its attempts.
    """

    error: str | None
    errorDetail: ErrorDetail | None
    stepId: str
    runId: str
    order: int
    kind: str
    provider: str
    model: str | None
    status: StepStatusEnum
    waitReason: WaitReasonEnum | None
    progress: float
    parents: list[str]
    round: int
    candidates: int
    chosenAttempt: int | None
    waits: Waits | None
    can: list[str]
    idemKey: NotRequired[str | None]
    providerRequestId: NotRequired[str | None]
    priceQuoteUsd: float
    reservedUsd: float
    actualUsd: float | None
    startedAt: int | None
    finishedAt: int | None
    attempts: list[AttemptRow]


class SyncDocument(TypedDict):
    """
    What came of asking them.
    """

    dryRun: bool
    results: list[SyncedRow]


class TriggerPage(TypedDict):
    """
    Some triggers, newest first.
    """

    triggers: list[TriggerRow]
    nextCursor: str | None


UsageDocument = TypedDict(
    "UsageDocument",
    {
        "from": str,
        "to": str,
        "by": list[ByEnum],
        "rows": list[UsageSumsRow],
        "truncated": bool,
        "totals": UsageSums,
        "budgets": BudgetRows,
    },
)


class WebhookPage(TypedDict):
    """
    Some webhook endpoints, newest first.
    """

    webhooks: list[WebhookRow]
    nextCursor: str | None


class ZapDocument(TypedDict):
    """
    A recipe with its text.
    """

    slug: str
    status: ZapStatusEnum
    version: int
    visibility: VisibilityEnum
    title: str
    description: str
    tags: list[str]
    estimateUsd: float
    capUsd: float
    inputs: list[InputRow]
    providers: list[str]
    authorId: str | None
    heroAssetUrl: str | None
    compiledFromRunId: str | None
    finalizedAt: int | None
    finalizedBy: str | None
    createdAt: int
    updatedAt: int
    source: str
    prompts: dict[str, str]
    contentHash: str


class ZapRow(TypedDict):
    """
    A recipe as lists show it: one row of `zaps`, without its text.
    """

    slug: str
    status: ZapStatusEnum
    version: int
    visibility: VisibilityEnum
    title: str
    description: str
    tags: list[str]
    estimateUsd: float
    capUsd: float
    inputs: list[InputRow]
    providers: list[str]
    authorId: str | None
    heroAssetUrl: str | None
    compiledFromRunId: str | None
    finalizedAt: int | None
    finalizedBy: str | None
    createdAt: int
    updatedAt: int


class BatchDocument(TypedDict):
    """
    A batch, what became of it so far, and some of its rows, in their order.
    """

    firings: list[FiringRow]
    nextCursor: str | None
    batch: BatchRow
    counts: BatchCounts
    costUsd: float
    heldUsd: float


class BatchPage(TypedDict):
    """
    Some batches, newest first.
    """

    batches: list[BatchRow]
    nextCursor: str | None


class CompiledDocument(TypedDict):
    """
    A draft recipe that a run taught. `source` and `prompts` are its whole text.
    """

    slug: str
    source: str
    prompts: dict[str, str]
    compiledFromRunId: str
    lineage: LineageRow
    estimateUsd: float
    capUsd: float
    costUsd: float
    attempts: int
    zap: ZapRow | None


class DeadLetterPage(TypedDict):
    """
    Some dead letters, newest first.
    """

    deadLetters: list[DeadLetterRow]
    nextCursor: str | None


class DeliveryPage(TypedDict):
    """
    Some deliveries, newest first.
    """

    deliveries: list[DeliveryRow]
    nextCursor: str | None


class FiringPage(TypedDict):
    """
    Some firings.
    """

    firings: list[FiringRow]
    nextCursor: str | None


class FlowClaimed(TypedDict):
    """
    One claimed run; with `count` there is only `claims`.
    """

    runId: NotRequired[str]
    attemptId: NotRequired[str]
    attemptNumber: NotRequired[int]
    maxAttempts: NotRequired[int]
    leaseToken: NotRequired[str]
    leaseExpiresAt: NotRequired[int]
    flowName: NotRequired[str]
    flowVersion: NotRequired[float]
    stepName: NotRequired[str]
    runner: NotRequired[FlowRunnerEnum]
    replay: NotRequired[bool]
    step: NotRequired[FlowStepDefinition]
    config: NotRequired[Any]
    root: NotRequired[str]
    revision: NotRequired[int]
    event: NotRequired[dict[str, Any]]
    claims: NotRequired[list[FlowLease]]


class FlowDispatched(TypedDict):
    """
    What became of an event.
    """

    status: FlowDispatchedStatusEnum
    eventId: str
    runIds: list[str]
    matched: int
    idempotent: bool
    missed: list[FlowMiss]
    event: FlowEventRow
    runs: list[FlowRunRow]


class FlowEventDocument(TypedDict):
    """
    One event with its runs.
    """

    event: FlowEventRow
    runs: list[FlowRunRow]


class FlowEventPage(TypedDict):
    """
    Some events.
    """

    events: list[FlowEventRow]
    nextCursor: NotRequired[str]


class FlowManifestDocument(TypedDict):
    """
    One flow.
    """

    manifest: FlowManifestRow


class FlowManifestPage(TypedDict):
    """
    Some flows.
    """

    manifests: list[FlowManifestRow]
    nextCursor: NotRequired[str]


class FlowOutputPage(TypedDict):
    """
    Some of a run's output.
    """

    output: list[FlowOutputRow]
    next: str
    isFinal: bool


class FlowRunDocument(TypedDict):
    """
    One run.
    """

    run: FlowWholeRun


class FlowRunPage(TypedDict):
    """
    Some runs.
    """

    runs: list[FlowRunRow]
    eventId: NotRequired[str]
    nextCursor: NotRequired[str]


class KeyPage(TypedDict):
    """
    Some keys, newest first.
    """

    keys: list[KeyRow]
    nextCursor: str | None


class PartRow(TypedDict):
    """
    What the live, or the mock, runs show.
    """

    estimateUsd: float | None
    runs: RunFactsRow
    votes: VotesRow
    steps: list[StepFactsRow]
    findings: list[FindingRow]


class RunDocument(TypedDict):
    """
    A run and everything that belongs to it, at one moment.
    """

    run: RunRow
    steps: list[StepRow]
    assets: list[AssetRow]
    feedback: list[FeedbackRow]
    remainingBudgetUsd: float


class RunPage(TypedDict):
    """
    Some runs, newest first.
    """

    runs: list[RunRow]
    nextCursor: str | None


class ZapPage(TypedDict):
    """
    Some recipes, by slug.
    """

    query: str
    zaps: list[ZapRow]
    nextCursor: str | None


class EvidenceDocument(TypedDict):
    """
    What a recipe's runs show. Live and mock runs are never added up together.
    """

    slug: str
    days: int
    truncated: bool
    live: PartRow | None
    mock: PartRow | None

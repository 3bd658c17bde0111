"""What an adapter promises, and the words it speaks in.

An adapter is pure: each method is a generator that yields the calls to make and is sent their replies. The same
text serves the blocking Celery task (`providers.http`) and the asynchronous drain (`providers.http_async`), and a
test needs no network.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias, TypeVar
from urllib.parse import urlsplit

from providers.errors import SubmissionUnknown, WebhookRefused
from providers.home import Home, mark_talks
from providers.priced import Priced

T = TypeVar("T")


class JobState(StrEnum):
    """What has become of a job, in our words."""

    QUEUED = "queued"  #: accepted, not started
    RUNNING = "running"  #: being made; also every word of a vendor that we do not know
    DONE = "done"  #: outputs are there
    FAILED = "failed"  #: ended without outputs
    CANCELED = "canceled"  #: stopped on request


class CancelState(StrEnum):
    """What has become of a request to stop a job."""

    CANCELED = "canceled"  #: it will not run
    REQUESTED = "requested"  #: asked; only a poll can tell
    ALREADY_TERMINAL = "already_terminal"
    UNSUPPORTED = "unsupported"
    NOT_FOUND = "not_found"


_ID_AT_MOST, _URL_AT_MOST = 300, 4096  # characters
_OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request. Exactly the call that costs money has `paid=True`: it is sent once, on a fresh connection."""

    method: str
    url: str = field(repr=False)  # may be signed, or tell the vendor where to call us
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # carries the key
    json: Any = field(default=None, repr=False)  # carries the prompt
    body: bytes | None = field(default=None, repr=False)
    paid: bool = False
    timeout_s: float | None = None  # how long the answer may take; None: as the transport thinks right
    cache_s: float = 0.0  # of a GET: an answer that this process got so long ago is still good enough
    most_bytes: int = 8_000_000  # a longer answer counts as none
    home: Home = field(default_factory=Home, repr=False)  # an adapter's is marked for it; see there


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that arrived whole. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Talk: TypeAlias = Generator[Call, Reply, T]
"""A conversation: yields calls, is sent their replies, returns a T."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture, clip or sound that goes into a generation: an address, or bytes that are read only when asked for."""

    content_type: str
    url: str | None = None
    read: Callable[[], bytes] | None = field(default=None, repr=False)

    @property
    def is_fetchable(self) -> bool:
        """Can a provider be given it: as bytes, or by an address over http or https?"""
        return self.url is None or self.url.startswith(("https://", "http://", "data:"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What to make. `duration_s` is None for stills; `params` holds the model's own extra fields."""

    capability: str  # the step's kind, such as "video.gen"
    model: str
    prompt: str = field(default="", repr=False)
    images: tuple[Media, ...] = ()  # references, in recipe order
    videos: tuple[Media, ...] = ()
    audios: tuple[Media, ...] = ()
    first_frame: Media | None = None
    duration_s: Decimal | None = None
    aspect: str | None = None  # "16:9"
    variation: int = 0  # which further try at the same request this is; 0: the first
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One result: an address to download from, or the bytes themselves. `authorized`: the key must go along."""

    url: str | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    authorized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a job cost. `source`: reported by the vendor, derived from what it counted, or quoted by us."""

    usd: Decimal
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """A job that is paid for, by a vendor that does not say how much: it costs what it was quoted by.

    `units` is how many the vendor counted, of those that its list of prices is in; None: it does not say.
    """

    units: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A job as the provider sees it now."""

    state: JobState
    progress: float | None = None  # 0..1; None when the provider does not say
    queue_position: int | None = None
    outputs: tuple[Output, ...] = ()  # filled exactly when state is DONE
    error_code: str | None = None  # set exactly when state is FAILED
    retryable: bool = False  # would a new attempt have a chance?
    cost: Cost | Billed | None = None  # None: nothing was said
    seed: int | None = None
    logs: tuple[str, ...] = ()  # sanitised: no prompt, no address, no key
    retry_after_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Has the provider ended the job, one way or another?"""
        return self.state in _OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a submission returned. `urls` and `model` are stored and given back to poll and cancel.

    Raises SubmissionUnknown for what cannot be written down.
    """

    request_id: str
    model: str
    urls: Mapping[str, str] = field(default_factory=dict, repr=False)
    snapshot: Snapshot | None = None  # when the answer already was terminal

    def __post_init__(self) -> None:
        texts = [(self.request_id, _ID_AT_MOST), *((url, _URL_AT_MOST) for url in self.urls.values())]
        if not all(len(text) <= most and text.isascii() and text.isprintable() for text, most in texts):
            raise SubmissionUnknown("The provider's answer to the submission names no job.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A request that reached our callback address. It may come from anybody until `read_webhook` has looked at it."""

    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    body: bytes = field(repr=False)
    received_at: float  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a webhook is believed: that a job is worth a look."""

    request_id: str
    event_id: str = ""  # the same in every copy of it; "": none
    sender: str = ""  # what the vendor calls the account that it is signed for; "": it does not tell


class Provider(Priced, ABC):
    """Knows one vendor's language, and does no I/O: each method is a conversation to be held.

    `base_url` is the vendor's origin and comes from `<NAME>_BASE_URL` where that is set. `key_variable` names the
    environment variable that holds the operator's key; None means that no key is needed.
    """

    name: ClassVar[str]
    default_base_url: ClassVar[str] = ""
    #: further environment variables whose values (None where unset) the constructor takes, after `base_url`
    variables: ClassVar[tuple[str, ...]] = ()
    key_variable: ClassVar[str | None] = None
    #: further variables that belong to the key, such as an organisation's id, each of which may be unset: a key is then
    #: given as lines, itself first, then one for each of these, empty where there is none
    key_extras: ClassVar[tuple[str, ...]] = ()
    key_is_optional: ClassVar[bool] = False
    #: what the vendor allows one account, submissions and polls together; None: it says nothing
    requests_per_s: ClassVar[float | None] = None
    supports_cancel: ClassVar[bool] = False
    #: can `recover` find the job of a submission whose answer was lost?
    supports_recover: ClassVar[bool] = False
    #: does it call back when a job has ended? "none"; "signed"; "token": only the address proves who calls
    webhooks: ClassVar[str] = "none"
    #: the environment variable with the secret that webhooks are signed with; None where no such secret is set by hand
    webhook_variable: ClassVar[str | None] = None
    #: is the account's key needed to read a webhook where that secret is not set?
    webhook_needs_key: ClassVar[bool] = False
    #: does the operator run it on a machine of their own, whose address may be private and without TLS?
    self_hosted: ClassVar[bool] = False
    #: how long its paid call may take; some vendors answer only when the result is there
    submit_timeout_s: ClassVar[float] = 30
    #: does the vendor itself fetch files that lie on the web? Else it is given their bytes
    fetches_files: ClassVar[bool] = True
    #: hosts, besides base_url's own, that results may come from: exact, or ".suffix"
    media_hosts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, base_url: str | None = None) -> None:
        self.base_url = (base_url or self.default_base_url).rstrip("/")
        parts = urlsplit(self.base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.home = Home(hosts=self.media_hosts)
        if self.base_url:
            self.home = self.home.and_at(self.base_url, is_named=bool(base_url) or self.self_hosted)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        mark_talks(cls)

    def is_own(self, url: object) -> bool:
        """Does `url` lie at the configured origin? Only such an address is ever sent the key."""
        return isinstance(url, str) and url.startswith(f"{self.origin}/")

    def download_headers(self, key: str) -> Mapping[str, str]:
        """What goes along when an output that is `authorized` is fetched from the provider's own origin."""
        return {}

    @abstractmethod
    def default_model(self, capability: str) -> str | None:
        """The model used when a recipe names none; None when this provider does not do `capability`."""

    def tier_model(self, capability: str, tier: str) -> str | None:
        """The model for a `draft` or a `final` result; None when this provider has none in particular."""
        return None

    def listed_models(self) -> Mapping[str, tuple[str, ...]]:
        """The models that are listed, by name, and the kinds that each makes. {}: there is no list."""
        return {}

    def model_for(self, capability: str, model: str) -> str:
        """Where `capability` is asked for by that model's name: one of its family, or the model itself."""
        return model

    @abstractmethod
    def check(self, generation: Generation) -> list[tuple[str, str]]:
        """Why this generation cannot be asked for: (field, sentence) pairs; [] when it can. Called at plan time."""

    @abstractmethod
    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        """Ask for `generation`, once. `callback_url` is given to providers with `webhooks` only.

        Raises NotSent, Rejected, KeyRefused or Unavailable when it is certain that no job exists,
        and SubmissionUnknown in every other case. The engine never repeats an unknown submission.
        """

    @abstractmethod
    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        """The job as it is now. Raises Unavailable or KeyRefused when the provider would not say."""

    def recover(self, *, idem_key: str, key: str) -> Talk[Job | None]:
        """The job that a submission with `idem_key` made, for when its answer was lost. None: that cannot be told.

        Its `model` may be "". Raises NeverTaken where the provider keeps every job for half an hour at least and has no
        such one: once the request cannot be on its way any more, it is sent again. Raises Unavailable or KeyRefused
        when it would not say.
        """
        return None
        yield  # a generator that makes no call

    def read_webhook(self, hook: Hook, *, key: str, secret: str) -> Talk[Hint]:
        """Which job the webhook is about. `secret` is that of `webhook_variable`, "" where it is not set.

        `key` is "" unless `webhook_needs_key`.

        Raises WebhookRefused where it is not the provider's, too old, or makes no sense, and Unavailable or KeyRefused
        where that cannot be told now.
        """
        raise WebhookRefused("This provider sends no webhooks.")
        yield  # a generator that makes no call

    def check_key(self, *, key: str) -> Talk[bool]:
        """Whether the provider takes the key, asked for nothing. False: that cannot be told.

        Raises KeyRefused where it does not, and Unavailable where it would not say.
        """
        return False
        yield  # a generator that makes no call

    def cancel(self, job: Job, *, key: str) -> Talk[CancelState]:
        """Ask the provider to stop the job."""
        return CancelState.UNSUPPORTED
        yield  # a generator that makes no call

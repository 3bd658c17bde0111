"""A vision-language model behind any OpenAI-compatible `POST {base}/chat/completions`.

Each look is one paid request: sent once, on a fresh connection, never repeated here.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, TypeVar

from core import money
from media.errors import MediaError
from providers import http
from providers.contract import Call, Talk
from providers.errors import KeyRefused, ProviderError, SubmissionUnknown
from providers.home import Home
from providers.verdict import json_object, require_ok
from runs.judges import rubric
from runs.judges.contract import JudgeError, JudgeKeyRefused, JudgeRefused, JudgeUnavailable, Sample, Verdict
from runs.judges.pictures import show

T = TypeVar("T")

_CONNECT_S = 5.0
_BEAT_S = 2.0
_MTOK = 1_000_000
_MOST_TOKENS = 100_000_000  # beyond these, a number is no count and no price of one answer
_MOST_USD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionModel:
    """Shows a model a still, or six frames of a clip, and has it score each criterion; the worst is its verdict.

    `name` is the model's, `url` the address before `/chat/completions`. `quote_usd` is booked for a look whose
    answer does not tell its cost; where it counts its tokens, `usd_per_mtok_in` and `usd_per_mtok_out`, the prices
    of a million, tell it.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"png", "mp4"})

    name: str
    url: str
    key: str = field(default="", repr=False)
    quote_usd: Decimal = Decimal(0)
    usd_per_mtok_in: Decimal = Decimal(0)
    usd_per_mtok_out: Decimal = Decimal(0)
    timeout_s: float = 60.0

    def judge(self, sample: Sample) -> Verdict:
        """See Judge."""
        answer = self._ask(sample)
        usd, source = self._cost(answer)
        try:
            opinion = rubric.read(_said(answer), criteria=rubric.criteria_of(sample))
        except JudgeRefused as exc:
            raise JudgeRefused(exc.detail, usd=usd, cost_source=source) from None
        return Verdict(
            overall=min(opinion.scores.values()),
            scores=opinion.scores,
            rater="vlm",
            judge=self.name,
            remarks=opinion.remarks,
            usd=usd,
            cost_source=source,
        )

    def _ask(self, sample: Sample) -> dict[str, Any]:
        try:
            pictures = _while_beating(partial(show, sample), sample.beat)
        except MediaError as exc:
            kind = JudgeUnavailable if exc.retryable else JudgeRefused
            raise kind("There is nothing that could be shown to the judge.") from exc
        talk = self._talk(rubric.ask(sample, pictures, model=self.name))
        try:
            return _while_beating(partial(http.hold, talk, timeout_s=(_CONNECT_S, self.timeout_s)), sample.beat)
        except ProviderError as exc:
            raise self._failure(exc) from None

    def _talk(self, body: dict[str, Any]) -> Talk[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        url, home = f"{self.url}/chat/completions", Home.named_by_operator(self.url)
        reply = yield Call(method="POST", url=url, headers=headers, json=body, paid=True, home=home)
        require_ok(reply, paid=True)
        return json_object(reply, paid=True)

    def _failure(self, exc: ProviderError) -> JudgeError:
        """What it means for a verdict that the call failed."""
        if isinstance(exc, SubmissionUnknown):
            said = "The judge's service did not answer as it should; the look may have cost money."
            return JudgeUnavailable(said, usd=self.quote_usd, cost_source=_quoted(self.quote_usd))
        if exc.retryable:
            said = "The judge's service is busy or cannot be reached."
            return JudgeUnavailable(said, retry_after_s=exc.retry_after_s)
        if isinstance(exc, KeyRefused):
            return JudgeKeyRefused("The judge's service refused the key, or its account is empty: see ZAP_JUDGE_KEY.")
        return JudgeRefused("The judge's service refused the request: see ZAP_JUDGE_URL and ZAP_JUDGE_MODEL.")

    def _cost(self, answer: Mapping[str, Any]) -> tuple[Decimal, str]:
        """What the answer cost, and how we know: reported, derived from its tokens, or our quote."""
        usage = answer.get("usage")
        counts = usage if isinstance(usage, dict) else {}
        reported = counts.get("cost")
        if isinstance(reported, int | float) and reported is not True and 0 < reported <= _MOST_USD:
            return money.usd(str(reported)), "reported"
        tokens = [counts.get("prompt_tokens"), counts.get("completion_tokens")]
        prices = (self.usd_per_mtok_in, self.usd_per_mtok_out)
        if any(prices) and all(isinstance(one, int) and 0 <= one <= _MOST_TOKENS for one in tokens):
            return money.usd(sum(map(_times, tokens, prices), Decimal(0)) / _MTOK), "derived"
        return self.quote_usd, _quoted(self.quote_usd)


def _times(count: Any, price: Decimal) -> Decimal:
    return price * int(count)


def _quoted(usd: Decimal) -> str:
    return "quoted" if usd else "none"


def _said(answer: Mapping[str, Any]) -> object:
    """The text of the answer. Raises JudgeRefused where it has none, or not all of it."""
    try:
        choice = answer["choices"][0]
        message, ended = choice["message"], choice.get("finish_reason")
        content, refusal = message.get("content"), message.get("refusal")
    except (LookupError, TypeError, AttributeError):
        raise JudgeRefused("The judge's answer has no message.") from None
    if refusal or ended == "content_filter":
        raise JudgeRefused("The judge declined to look at this.")
    if ended == "length":
        raise JudgeRefused("The judge's answer is cut off.")
    return content


def _while_beating(work: Callable[[], T], beat: Callable[[], None]) -> T:
    """What `work` comes to, in a thread of its own; `beat` is called before it and every two seconds meanwhile.

    What `beat` raises comes out once `work` has ended.
    """
    beat()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        while not wait((future,), _BEAT_S).done:
            beat()
        return future.result()

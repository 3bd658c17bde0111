"""The model that looks at results."""

from dataclasses import dataclass, field
from decimal import Decimal

from config.env import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Where it is, and what it costs, in US dollars. Without an address results are only measured."""

    url: str
    model: str
    key: str = field(repr=False)
    usd: Decimal
    usd_per_mtok_in: Decimal
    usd_per_mtok_out: Decimal
    timeout_s: int


def read(env: Environment) -> Judge:
    """What the environment says. What is wrong is a problem of `env`."""
    judge = Judge(
        url=env.url(
            "ZAP_JUDGE_URL",
            schemes=("http", "https"),
            about="A model that looks at results: any OpenAI-compatible service, `https://api.example.com/v1`; "
            "`/chat/completions` is added.",
            shown="none: results are only measured",
        ),
        model=env.text("ZAP_JUDGE_MODEL", about="Its name there. It must take pictures."),
        key=env.secret("ZAP_JUDGE_KEY", about="The key for it, sent as a bearer token."),
        usd=env.money(
            "ZAP_JUDGE_USD",
            Decimal(0),
            about="What looking at one candidate costs at most: reserved for each, and booked where the answer does "
            "not tell.",
        ),
        usd_per_mtok_in=env.money(
            "ZAP_JUDGE_USD_PER_MTOK_IN",
            Decimal(0),
            about="The price of a million tokens that it reads; with prices, the true cost is booked.",
        ),
        usd_per_mtok_out=env.money(
            "ZAP_JUDGE_USD_PER_MTOK_OUT", Decimal(0), about="The price of a million tokens that it writes."
        ),
        timeout_s=env.number(
            "ZAP_JUDGE_TIMEOUT_S", 60, at_least=1, at_most=600, about="How long it may take to answer."
        ),
    )
    if bool(judge.url) != bool(judge.model):
        env.refuse("ZAP_JUDGE_URL and ZAP_JUDGE_MODEL belong together: set both or none.")
    if (judge.usd_per_mtok_in or judge.usd_per_mtok_out) and not judge.usd:
        env.refuse("ZAP_JUDGE_USD is not set: a judge with prices needs what is reserved for one look.")
    return judge

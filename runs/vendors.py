"""What each provider could do for somebody now: whose key, which models, are they priced, what stands in the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models.functions import Now

from accounts.pricing.book import current
from accounts.vault.credentials import Prospect, Source, prospect_for
from providers import prices, registry
from providers.contract import Provider
from providers.prices import PriceBook, PriceStale, PriceUnknown
from providers.registry import PROVIDERS, base_url_variable
from runs.engine import callbacks
from runs.models import Circuit, ProviderAccount
from zaps.kind import KINDS


class PriceState(StrEnum):
    """Whether a model can be paid for."""

    PRICED = "priced"
    STALE = "stale"  #: verified too long ago: a live run is refused
    UNPRICED = "unpriced"  #: nobody has told us: the same


class PricedBy(StrEnum):
    """Who says what a provider's models cost."""

    NOBODY = "nobody"  #: they are free
    OPERATOR = "operator"  #: it is the operator's own machine
    BOOK = "book"  #: the price book


class Deaf(StrEnum):
    """Why a provider does not call us when a job has ended."""

    NOT_OFFERED = "not_offered"  #: it calls nobody
    SWITCHED_OFF = "switched_off"  #: ZAP_WEBHOOKS is 0
    NO_ADDRESS = "no_address"  #: ZAP_PUBLIC_URL is not one that it can reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model that is listed."""

    model: str
    makes: tuple[str, ...]
    price: PriceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """An account at a provider that is left alone for a while."""

    account: ProviderAccount
    shows_limits: bool  # are they any business of whoever looks?


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A provider, as one caller finds it.

    `source` None: there is no key that the caller may use. `missing` are the variables that would have to be set.
    `host` is None where there is none, and where it is the operator's own and the caller is not staff.
    """

    name: str
    makes: tuple[str, ...]
    source: Source | None
    missing: tuple[str, ...]
    host: str | None
    priced_by: PricedBy
    models: tuple[Listed, ...]
    webhooks: str  # none, signed or token
    deaf: Deaf | None
    circuits: tuple[Circuit, ...]
    pause: Pause | None

    @property
    def is_configured(self) -> bool:
        """Could the caller's next live run use it, as far as can be told without asking?"""
        return self.source is not None and not self.missing


def survey(*, owner_id: int, is_staff: bool, today: date) -> list[Vendor]:
    """Every provider, by name. Nothing is asked and nothing decrypted."""
    prospects = {name: prospect_for(name, owner_id=owner_id) for name in sorted(PROVIDERS.entries)}
    circuits = list(Circuit.objects.filter(account="").exclude(status="closed").order_by("provider", "model"))
    pauses = _pauses(prospects.values())
    book = current()
    return [
        _vendor(
            registry.provider(name),
            prospect,
            listed=tuple(_listed(book, registry.provider(name), today)),
            circuits=tuple(one for one in circuits if one.provider == name),
            pause=_pause(pauses, prospect, is_staff=is_staff),
            is_staff=is_staff,
        )
        for name, prospect in prospects.items()
    ]


def _vendor(
    provider: Provider,
    prospect: Prospect | None,
    *,
    listed: tuple[Listed, ...],
    circuits: tuple[Circuit, ...],
    pause: Pause | None,
    is_staff: bool,
) -> Vendor:
    return Vendor(
        name=provider.name,
        makes=_makes(provider),
        source=prospect.source if prospect else None,
        missing=_missing(provider, prospect),
        host=_host(provider, is_staff=is_staff),
        priced_by=_priced_by(provider),
        models=listed,
        webhooks=provider.webhooks,
        deaf=_deaf(provider),
        circuits=circuits,
        pause=pause,
    )


def _makes(provider: Provider) -> tuple[str, ...]:
    listed = {kind for makes in provider.listed_models().values() for kind in makes}
    return tuple(
        sorted(
            kind.name
            for kind in KINDS
            if kind.render is None and (kind.name in listed or provider.default_model(kind.name) is not None)
        )
    )


def _missing(provider: Provider, prospect: Prospect | None) -> tuple[str, ...]:
    missing = [base_url_variable(provider.name)] if provider.self_hosted and not provider.base_url else []
    if prospect is None and provider.key_variable and not provider.key_is_optional:
        missing.append(provider.key_variable)
    return tuple(missing)


def _host(provider: Provider, *, is_staff: bool) -> str | None:
    is_the_vendors = provider.base_url == provider.default_base_url.rstrip("/")
    return urlsplit(provider.base_url).netloc or None if is_staff or is_the_vendors else None


def _priced_by(provider: Provider) -> PricedBy:
    if provider.name in prices.FREE:
        return PricedBy.NOBODY
    return PricedBy.BOOK if type(provider).quote is Provider.quote else PricedBy.OPERATOR


def _listed(book: PriceBook, provider: Provider, today: date) -> Iterable[Listed]:
    for model, makes in sorted(provider.listed_models().items()):
        states = {_price(book, provider.name, model, variant, today) for variant in provider.variants(model)}
        worst = next(state for state in (PriceState.UNPRICED, PriceState.STALE, PriceState.PRICED) if state in states)
        yield Listed(model=model, makes=makes, price=worst)


def _price(book: PriceBook, provider: str, model: str, variant: str, today: date) -> PriceState:
    try:
        book.quote(provider, model, variant=variant, duration_s=Decimal(1), characters=1, today=today)
    except PriceStale:
        return PriceState.STALE
    except PriceUnknown:
        return PriceState.UNPRICED
    return PriceState.PRICED


def _deaf(provider: Provider) -> Deaf | None:
    if provider.webhooks == "none":
        return Deaf.NOT_OFFERED
    if callbacks.are_on():
        return None
    return Deaf.NO_ADDRESS if settings.ZAP_WEBHOOKS else Deaf.SWITCHED_OFF


def _pauses(prospects: Iterable[Prospect | None]) -> Mapping[str, ProviderAccount]:
    keys = [one.account for one in prospects if one]
    return {row.key: row for row in ProviderAccount.objects.filter(key__in=keys, paused_until__gt=Now())}


def _pause(pauses: Mapping[str, ProviderAccount], prospect: Prospect | None, *, is_staff: bool) -> Pause | None:
    account = pauses.get(prospect.account) if prospect else None
    if prospect is None or account is None:
        return None
    return Pause(account=account, shows_limits=is_staff or prospect.source is Source.CREATOR)

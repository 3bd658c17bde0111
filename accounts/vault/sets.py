"""What makes up a provider's key, and whether what somebody gave is one.

Nothing that was given is ever repeated: who puts a key where its name belongs would read it in an error.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.vault.cipher import fingerprint
from core.errors import BadInput, NotFound, Problem
from providers.registry import PROVIDERS, key_variables

_VALUE = re.compile(r"[!-~]{1,4096}")  # what a header can carry and no person can misread
_MOST_SETS = 20


@dataclass(frozen=True, slots=True)
class Sets:
    """Whole sets of values by provider, checked, and not shown."""

    by_provider: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def __contains__(self, provider: object) -> bool:
        return provider in self.by_provider


NONE = Sets()


def fields_of(provider: str) -> tuple[str, ...]:
    """The names of the values, the one that cannot be missing first: `fal_key`. () where no key is needed.

    Raises NotFound.
    """
    if provider not in PROVIDERS:
        raise NotFound("There is no such provider.")
    return tuple(variable.lower() for variable in key_variables(provider))


def joined(provider: str, values: Mapping[str, str]) -> str:
    """The values as the provider's adapter takes them."""
    return "\n".join(values.get(name, "") for name in fields_of(provider))


def read_set(provider: str, given: Any, *, is_operator: bool) -> dict[str, str]:
    """The values that were given for a provider. Raises NotFound, and BadInput naming whatever is wrong."""
    problems = list(_problems(provider, given, path="", is_operator=is_operator))
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return {name: value.strip() for name, value in given.items()}


def read_sets(given: Any) -> Sets:
    """What a request carried in `secrets`: `{provider: {name: value}}`. Raises BadInput naming whatever is wrong."""
    if given is None:
        return NONE
    if not isinstance(given, dict) or len(given) > _MOST_SETS:
        raise _bad("SECRETS_INVALID", "secrets is an object: {provider: {name: value}}.", "secrets")
    problems: list[Problem] = []
    for provider, values in given.items():
        if provider in PROVIDERS:
            problems += _problems(provider, values, path=f"secrets.{provider}.")
        else:
            problems.append(_problem("PROVIDER_UNKNOWN", "secrets names something that is no provider.", "secrets"))
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return Sets({name: {key: value.strip() for key, value in values.items()} for name, values in given.items()})


def blinded(body: Mapping[str, Any], sets: Sets) -> dict[str, Any]:
    """A request's body with fingerprints in place of its keys, so that a hash of it can be kept. Raises VaultClosed."""
    if not sets.by_provider:
        return dict(body)
    prints = {
        provider: {name: fingerprint(value) for name, value in values.items()}
        for provider, values in sets.by_provider.items()
    }
    return {**body, "secrets": prints}


def _problems(provider: str, given: Any, *, path: str, is_operator: bool = False) -> Iterator[Problem]:
    known = fields_of(provider)
    place = path.rstrip(".") or None
    if not known or (PROVIDERS.get(provider).self_hosted and not is_operator):
        yield _problem("SECRET_NOT_NEEDED", f"{provider} needs no key of yours.", place)
        return
    if not isinstance(given, dict) or not set(given) <= set(known):
        yield _problem("SECRET_UNKNOWN", f"The key of {provider} is an object of {', '.join(known)}.", place)
        return
    if known[0] not in given:
        yield _problem("SECRET_MISSING", f"The key of {provider} needs {known[0]}.", f"{path}{known[0]}")
    for name, value in given.items():
        if not isinstance(value, str) or not _VALUE.fullmatch(value.strip()):
            sentence = f"{name} is 1 to 4096 printable ASCII characters without spaces."
            yield _problem("SECRET_INVALID", sentence, f"{path}{name}")


def _problem(code: str, sentence: str, path: str | None) -> Problem:
    return Problem(code=code, message=sentence, path=path)


def _bad(code: str, sentence: str, path: str) -> BadInput:
    return BadInput(sentence, problems=[_problem(code, sentence, path)])

"""What will be bought, for how much, and whether it may be: everything before the money."""

import argparse
import importlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cli import consent, faults, talk, workers
from cli.client import Client
from cli.exits import Exit
from cli.smoke.minimal import Minimal, choices
from providers import registry
from providers.contract import Provider
from providers.registry import PROVIDERS, base_url_variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A job that may be bought. `body` is the request that makes the run, save for its mode; money is USD."""

    provider: Provider
    asked: Minimal
    quoted_usd: float
    cap_usd: float
    body: dict[str, Any] = field(repr=False)


def choose(args: argparse.Namespace, client: Client) -> Ready:
    """The cheapest job within the arguments. Raises Fault, and whatever a live run is refused with."""
    provider = _provider(args.provider)
    if args.out is not None and args.out.exists():
        raise faults.bad_input("FILE_EXISTS", f"{args.out} is there already.", "Name another file with --out.")
    _require_key(client, provider)
    if workers.are_at_work():
        raise faults.fault(
            "WORKERS_AT_WORK",
            "Workers are at this database: one of them would make the job, and nobody would hear what is said.",
            exit_code=Exit.REFUSED,
            remediation="End them (`zap up`, the worker services), or try where there are none, such as on a laptop.",
        )
    asked = _cheapest(args, provider)
    body = {"source": asked.recipe(args.max_usd), "inputs": asked.inputs(), "maxUsd": float(args.max_usd)}
    quote = client.call("POST", "/api/zaps/run", {**body, "mode": "plan"})
    return Ready(provider=provider, asked=asked, quoted_usd=quote["quoteUsd"], cap_usd=quote["capUsd"], body=body)


def lines(ready: Ready) -> list[str]:
    """What a person should know before they agree."""
    asked = ready.asked
    what = [f"“{asked.prompt}”" if asked.prompt else "no words"]
    what += [f"{asked.duration_s:f} s"] if asked.duration_s is not None else []
    what += ["a small picture of ours"] if asked.sample == "png" else []
    what += ["a small clip of ours"] if asked.sample == "mp4" else []
    return [
        f"{ready.provider.name} at {ready.provider.origin}: {asked.model}, {asked.kind}.",
        f"It is sent {', '.join(what)}, once, and never again.",
        f"It is quoted at {talk.usd(ready.quoted_usd)}; more than {talk.usd(ready.cap_usd)} is refused.",
    ]


def require_consent(args: argparse.Namespace, ready: Ready) -> None:
    """Raises Fault unless somebody agrees to spend it."""
    if not args.yes:
        consent.ask(ready.quoted_usd, otherwise="Say --yes.")


def _provider(name: str) -> Provider:
    if name not in PROVIDERS:
        known = ", ".join(sorted(entry.name for entry in PROVIDERS))
        raise faults.bad_input("PROVIDER_UNKNOWN", "There is no such provider.", f"There are: {known}.")
    found = registry.provider(name)
    if not found.base_url:
        raise faults.bad_input(
            "PROVIDER_WITHOUT_ADDRESS",
            f"{name} speaks to nobody.",
            f"Set {base_url_variable(name)}, if it is a machine of yours.",
        )
    return found


def _require_key(client: Client, provider: Provider) -> None:
    rows = client.call("GET", "/api/secrets")["providers"]
    if any(row["provider"] == provider.name and row["uses"] is None for row in rows):
        raise faults.fault(
            "KEY_MISSING",
            f"There is no key for {provider.name}.",
            exit_code=Exit.REFUSED,
            remediation=f"`zap keys set {provider.name}` keeps one; or set {provider.key_variable}.",
        )


def _cheapest(args: argparse.Namespace, provider: Provider) -> Minimal:
    today = datetime.now(UTC).date()
    book = importlib.import_module("accounts.pricing.book").current()  # its tables can be imported only now
    found = choices(provider, book, today=today, kind=args.kind, model=args.model)
    if not found:
        raise faults.bad_input(
            "NOTHING_TO_BUY",
            "Nothing of that kind and model has a price there, or can be asked for by itself.",
            "Choose others with --kind and --model; the price book and the model's sheet say what there is.",
        )
    return found[0]

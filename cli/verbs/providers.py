"""Say what is configured, priced and, with --check, reachable of the providers; nothing of it costs anything."""

import argparse
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cli import faults, talk
from cli.client import connect
from cli.exits import Exit

_PATIENCE_S = 1.0
_KEYS = {"creator": "with your key", "operator": "with the operator's key", "none": "needs no key"}
_DEAF = {
    "not_offered": "it calls nobody",
    "switched_off": "ZAP_WEBHOOKS is off",
    "no_address": "ZAP_PUBLIC_URL is no https address",
}
_TAKEN = {True: "key works", False: "key refused"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="by default all, in a table; else all about those")
    parser.add_argument(
        "--check", action="store_true", help="ask whether they answer and take their keys; costs nothing"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 1 when a configured provider, or one that was named, did not answer or refused its key; else 0."""
    client = connect()
    rows = _chosen(client.call("GET", "/api/providers")["providers"], args.names)
    reached: dict[str, Mapping[str, Any]] = {}
    if args.check:
        names = [row["provider"] for row in rows]
        with _patience(f"Asking {len(names)} providers…"):
            results = client.call("POST", "/api/providers/reach", {"providers": names})["results"]
        reached = {result["provider"]: result for result in results}
    if args.json:
        talk.give_json({"providers": [{**row, "reached": reached.get(row["provider"])} for row in rows]})
    elif args.names:
        talk.give("\n\n".join("\n".join(_all_about(row, reached.get(row["provider"]))) for row in rows))
    else:
        talk.give(talk.columns([_head(reached), *(_line(row, reached) for row in rows)]))
        for row in rows:
            for trouble in _troubles(row):
                talk.say(f"{row['provider']}: {trouble}")
    wanted = {row["provider"] for row in rows if row["configured"] or args.names}
    return Exit.FAILED if any(_failed(reached.get(name)) for name in wanted) else Exit.DONE


def _chosen(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Mapping[str, Any]]:
    known = {row["provider"]: row for row in rows}
    for name in names:
        if name not in known:
            raise faults.bad_input(
                "PROVIDER_UNKNOWN", f"There is no provider {name!r}.", f"There are: {', '.join(known)}."
            )
    return [known[name] for name in dict.fromkeys(names)] if names else list(rows)


@contextmanager
def _patience(sentence: str) -> Iterator[None]:
    """Says what is going on once it takes longer than people like to wait without a word."""
    clock = threading.Timer(_PATIENCE_S, talk.say, [sentence])
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def _failed(result: Mapping[str, Any] | None) -> bool:
    return result is not None and (result["reachable"] is False or result["keyOk"] is False)


def _head(reached: Mapping[str, Any]) -> tuple[str, ...]:
    return ("provider", "makes", "configured", "host", "priced", "webhooks", *(("reachable",) if reached else ()))


def _line(row: Mapping[str, Any], reached: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    makes = " ".join(dict.fromkeys(kind.partition(".")[0] for kind in row["kinds"]))
    facts = (
        row["provider"],
        makes,
        _key(row),
        row["host"] or "—",
        _priced(row),
        "on" if row["webhooks"]["on"] else "off",
    )
    return (*facts, _reached(reached[row["provider"]])) if reached else facts


def _key(row: Mapping[str, Any]) -> str:
    if row["missing"]:
        return f"missing: {', '.join(row['missing'])}"
    return _KEYS[row["keySource"]] if row["keySource"] else "not for you: the operator's own"


def _priced(row: Mapping[str, Any]) -> str:
    """`12 of 14`, where the others cannot be run live."""
    if row["pricedBy"] != "book":
        return {"nobody": "free", "operator": "by the operator"}[row["pricedBy"]]
    good = sum(model["price"] == "priced" for model in row["models"])
    return f"{good} of {len(row['models'])}"


def _reached(result: Mapping[str, Any]) -> str:
    if result["reachable"] is None:
        return result["code"] or "—"
    told = [f"yes, {result['tookMs']} ms" if result["reachable"] else "no", _TAKEN.get(result["keyOk"], "")]
    return ", ".join(filter(None, [*told, result["code"]]))


def _troubles(row: Mapping[str, Any]) -> Iterator[str]:
    """What keeps jobs from it just now, or would stop a live run."""
    if row["pausedAccount"]:
        until = talk.moment(row["pausedAccount"]["pausedUntil"])
        yield f"the account is left alone until {until}, as the provider asked"
    for paused in row["pausedModels"]:
        yield f"{paused['model']} is left alone until {talk.moment(paused['retryAt'])} ({paused['error']})"
    for state in ("stale", "unpriced"):
        models = [model["model"] for model in row["models"] if model["price"] == state]
        if models and row["pricedBy"] == "book":
            yield f"{state}: {', '.join(models)}"


def _all_about(row: Mapping[str, Any], result: Mapping[str, Any] | None) -> Iterator[str]:
    yield row["provider"]
    webhooks = row["webhooks"]
    facts = {
        "makes": ", ".join(row["kinds"]),
        "configured": _key(row),
        "host": row["host"] or "—",
        "reachable": _reached(result) if result else "not asked; --check asks",
        "webhooks": f"on, {webhooks['proof']}" if webhooks["on"] else f"off: {_DEAF[webhooks['offReason']]}",
        "priced": _priced(row),
    }
    for name, fact in facts.items():
        yield f"  {name:<10}  {fact}"
    for model in row["models"]:
        yield f"  {'model':<10}  {model['model']}  {', '.join(model['kinds'])}  {model['price']}"
    for trouble in _troubles(row):
        yield f"  {'now':<10}  {trouble}"

"""What one transcript holds that another does not: how a vendor's answers differ from what we believed of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from providers.transcript.page import Transcript

_NUMBER = re.compile(r"-\d+\}")
_SAID = " (a word)"  # one that is not said may only have been missed
_WORDS = frozenset({"status", "state", "current", "code", "finish_reason", "type"})


def news(live: Transcript, expected: Transcript) -> list[str]:
    """One sentence for each thing that is in the one and not in the other, call by call; [] where they are alike.

    Calls are compared by method and path, answers by their status, their fields with the types of their values, and the
    words of fields that tell a state.
    """
    new, old = _facts(live), _facts(expected)
    sentences = []
    for call in [*new, *(one for one in old if one not in new)]:
        if call not in old:
            sentences.append(f"{call} was not expected.")
        elif call not in new:
            sentences.append(f"{call} was expected, and was not made.")
        else:
            sentences += [f"{call} is answered with {fact}, which was not expected." for fact in new[call] - old[call]]
            lacks = {fact for fact in old[call] - new[call] if not fact.endswith(_SAID)}
            sentences += [f"{call} is not answered with {fact}, as was expected." for fact in lacks]
    return sorted(sentences)


def _facts(transcript: Transcript) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for call in transcript.calls:
        facts = found.setdefault(f"{call['method']} {_NUMBER.sub('}', call['path'])}", set())
        if "answer" not in call:
            facts.add("nothing")
            continue
        answer = call["answer"]
        facts.add(f"status {answer['status']}")
        facts |= {f"the header {name}" for name in answer["headers"]}
        facts |= set(_of_body(answer["body"]))
    return found


def _of_body(body: Mapping[str, Any]) -> Iterator[str]:
    if "json" in body:
        yield from _fields(body["json"], "")
    elif "text" in body:
        yield f"the word {body['text']}{_SAID}"
    elif "bytes" in body:
        yield f"bytes of {body['bytes']['content_type'].partition('/')[0]}"
    for part in body.get("parts", ()):
        yield from (f"{part['name']}: {fact}" for fact in _of_body(part["body"]))


def _fields(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _fields(one, f"{path}.{_NUMBER.sub('}', key)}" if path else _NUMBER.sub("}", key))
    elif isinstance(value, list):
        for one in value:
            yield from _fields(one, f"{path}[]")
    else:
        yield f"{path} ({_type(value)})"
        if isinstance(value, str) and path.rpartition(".")[2] in _WORDS:
            yield f"{path} {_NUMBER.sub('}', value)}{_SAID}"


def _type(value: Any) -> str:
    return {str: "text", bool: "yes or no", type(None): "null"}.get(type(value), "a number")

"""What one transcript holds that another does not: how a vendor's answers differ from what we believed of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from providers.transcript.page import Transcript

_NUMBER = re.compile(r"-\d+\}")
_NULL, _SAID = " (null)", " (a word)"
_WORDS = frozenset({"status", "state", "current", "code", "finish_reason", "type"})


def news(live: Transcript, expected: Transcript) -> list[str]:
    """One sentence for each thing that is in the one and not in the other, call by call; [] where they are alike.

    Calls are compared by method and path, answers by their status, their fields with the types of their values, and the
    words of fields that tell a state. What is told only while a job is at work may be missed by a poll, so of what was
    expected only the last answer counts.
    """
    new, old = _facts(live), _facts(expected)
    sentences = [f"{call} was not expected." for call in new if call not in old]
    sentences += [f"{call} was expected, and was not made." for call in old if call not in new]
    for call in (one for one in new if one in old):
        said, believed = set[str]().union(*new[call]), set[str]().union(*old[call])
        odd = {fact for fact in said - believed if not _is_null_of(fact, believed)}
        lacks = {fact for fact in old[call][-1] - said if not fact.endswith((_SAID, _NULL))}
        sentences += [f"{call} is answered with {fact}, which was not expected." for fact in odd]
        sentences += [f"{call} is not answered with {fact}, as was expected." for fact in lacks]
    return sorted(sentences)


def _is_null_of(fact: str, known: set[str]) -> bool:
    """Is it a known field that is empty for once?"""
    path = fact.removesuffix(_NULL)
    return path != fact and any(one.startswith(f"{path} (") for one in known)


def _facts(transcript: Transcript) -> dict[str, list[set[str]]]:
    """For each call, what each of its answers holds, oldest first."""
    found: dict[str, list[set[str]]] = {}
    for call in transcript.calls:
        answers = found.setdefault(f"{call['method']} {_NUMBER.sub('}', call['path'])}", [])
        if "answer" not in call:
            answers.append({"nothing"})
            continue
        answer = call["answer"]
        headers = {f"the header {name}" for name in answer["headers"]}
        answers.append({f"status {answer['status']}", *headers, *_of_body(answer["body"])})
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
        yield f"{path or 'it'}{_type(value)}"
        if isinstance(value, str) and path.rpartition(".")[2] in _WORDS:
            yield f"{path} {_NUMBER.sub('}', value)}{_SAID}"


def _type(value: Any) -> str:
    if value is None:
        return _NULL
    return {str: " (text)", bool: " (yes or no)"}.get(type(value), " (a number)")

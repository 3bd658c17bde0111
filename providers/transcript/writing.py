"""A tape becomes a transcript: each call and each answer is cleaned, and nothing goes past the cleaner."""

import base64
import binascii
import hashlib
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from providers import multipart
from providers.contract import Call, Generation, Media, Provider, Reply
from providers.sniff import HEAD_BYTES, sniff
from providers.transcript.clean import Cleaner
from providers.transcript.page import ELSEWHERE, EMULATOR, VENDOR, Transcript
from providers.transcript.tape import Fetched, Heard, Tape
from providers.transcript.words import CONTENT_TYPES, is_harmless, is_vocabulary
from providers.wire import encode

EMULATED = "zaps-emulator"  # what our emulator calls itself in each of its answers
_PLAIN_BYTES = 200
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_SCHEMES = frozenset({"basic", "bearer", "key", "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a transcript says besides the conversation itself."""

    generation: Generation
    recorded_on: date
    zaps: str
    outcome: str
    quoted_usd: Decimal | None = None
    cost_usd: Decimal | None = None


def write_down(tape: Tape, provider: Provider, facts: Facts) -> Transcript:
    """What was heard, as far as anybody may read it."""
    cleaner = Cleaner(
        base_url=provider.base_url,
        origins=provider.home.named | provider.home.vendor,
        secrets=_carried(tape.heard),
        said=[*_strings(_asked(facts.generation)), *_own_words(provider, facts.generation.model)],
    )
    calls = tuple(_exchange(cleaner, one) for one in tape.heard)
    return Transcript(
        provider=provider.name,
        recorded_from=_source(tape, provider),
        recorded_on=facts.recorded_on.isoformat(),
        zaps=facts.zaps,
        adapter=digest_of(provider),
        outcome=facts.outcome,
        quoted_usd=_plain(facts.quoted_usd),
        cost_usd=_plain(facts.cost_usd),
        asked=cleaner.document(_asked(facts.generation), ours=True),
        calls=calls,
        files=tuple(_file(cleaner, one) for one in tape.fetched),
        media={name: asdict(blob) for name, blob in cleaner.blobs.items()},
    )


def digest_of(provider: Provider) -> str:
    """The beginning of a digest of the adapter's text, by which one can tell whether it was changed since."""
    text = inspect.getsource(sys.modules[type(provider).__module__])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _asked(generation: Generation) -> dict[str, Any]:
    seconds = generation.duration_s
    return {
        "kind": generation.capability,
        "model": generation.model,
        "prompt": generation.prompt,
        "duration_s": None if seconds is None else f"{seconds.normalize():f}",
        "aspect": generation.aspect,
        "params": dict(generation.params),
        "inputs": [file.content_type for file in _inputs(generation)],
    }


def _own_words(provider: Provider, model: str) -> Iterator[str]:
    """What our own data makes the adapter send of that model."""
    sheets: Mapping[str, Any] = getattr(provider, "sheets", {})
    if model in sheets:
        yield from _strings(asdict(sheets[model]))


def _inputs(generation: Generation) -> Iterator[Media]:
    if generation.first_frame is not None:
        yield generation.first_frame
    yield from (*generation.images, *generation.videos, *generation.audios)


def _carried(heard: Iterable[Heard]) -> Iterator[str]:
    """Whatever went along in headers, since that is where keys are: also what a Basic header hides."""
    for one in heard:
        for name, value in one.call.headers.items():
            if name.lower() not in _SECRET_HEADERS and (is_harmless(value.partition(";")[0]) or is_vocabulary(value)):
                continue
            yield value
            for word in value.split():
                if word.lower() not in _SCHEMES:
                    yield word
                    yield from _unwrapped(word)


def _unwrapped(word: str) -> Iterator[str]:
    try:
        yield base64.b64decode(word, validate=True).decode()
    except (binascii.Error, ValueError):
        return


def _exchange(cleaner: Cleaner, heard: Heard) -> dict[str, Any]:
    call = heard.call
    path, query = cleaner.place(call.url, called=True)
    _, headers = encode(call)
    made: dict[str, Any] = {
        "after_s": round(heard.after_s, 1),
        "method": call.method,
        "path": path,
        "query": query,
        "headers": sorted(name.lower() for name in headers),
        "paid": call.paid,
        "body": _sent(cleaner, call),
    }
    if heard.reply is None:
        return {**made, "no_answer": heard.error}
    return {**made, "answer": _answered(cleaner, heard.reply)}


def _sent(cleaner: Cleaner, call: Call) -> Mapping[str, Any]:
    if call.json is not None:
        return {"json": cleaner.document(json.loads(json.dumps(call.json)), ours=True)}
    named = next((value for name, value in call.headers.items() if name.lower() == "content-type"), "")
    return body(cleaner, call.body or b"", named, ours=True)


def _answered(cleaner: Cleaner, reply: Reply) -> dict[str, Any]:
    headers = reply.headers
    named = headers.get("content-type", "")
    read = {name: value for name, value in _read(headers).items() if name != "content-type"}
    return {
        "status": reply.status,
        "type": named.partition(";")[0].strip().lower() if named.partition(";")[0] in CONTENT_TYPES else "",
        "headers": {cleaner.field(name): cleaner.text(value, "code") for name, value in read.items()},
        "body": body(cleaner, reply.body, named, ours=False),
    }


def _read(headers: Mapping[str, str]) -> Mapping[str, str]:
    asked_for = getattr(headers, "asked_for", None)
    found: Mapping[str, str] = asked_for() if asked_for else {}
    return found


def body(cleaner: Cleaner, content: bytes, content_type: str, *, ours: bool) -> Mapping[str, Any]:
    """Bytes as what they are: json, text of a word or two, parts of a form, or bytes of which only facts are told."""
    if not content:
        return {}
    if content_type.startswith("multipart/form-data"):
        parts = multipart.read_all(content_type, content)
        return {"parts": [_part(cleaner, name, part, ours=ours) for name, part in parts]}
    if sniff(content[:HEAD_BYTES]) is None or content.lstrip()[:1] in (b"{", b"["):
        try:
            return {"json": cleaner.document(json.loads(content), ours=ours)}
        except (ValueError, RecursionError):
            pass
    if content_type.startswith("text/plain") and len(content) <= _PLAIN_BYTES:
        return {"text": cleaner.text(content.decode("utf-8", "replace").strip(), "status", ours=ours)}
    return {"bytes": asdict(cleaner.blob(content, content_type.partition(";")[0]))}


def _part(cleaner: Cleaner, name: str, part: multipart.Part, *, ours: bool) -> dict[str, Any]:
    return {
        "name": cleaner.field(name),
        "filename": cleaner.text(part.filename, ours=ours),
        "type": part.content_type if part.content_type in CONTENT_TYPES else "application/octet-stream",
        "body": body(cleaner, part.content, part.content_type, ours=ours),
    }


def _file(cleaner: Cleaner, fetched: Fetched) -> dict[str, Any]:
    url = fetched.output.url
    return {
        "url": cleaner.text(url) if url else None,
        "authorized": fetched.output.authorized,
        "content_type": fetched.content_type,
        "bytes": fetched.bytes,
        "sha256": fetched.sha256,
    }


def _source(tape: Tape, provider: Provider) -> str:
    answers = [one.reply.headers for one in tape.heard if one.reply is not None]
    if any(headers.get("server", "").startswith(EMULATED) for headers in answers):
        return EMULATOR
    default = type(provider).default_base_url.rstrip("/")
    is_vendor = provider.self_hosted or (bool(default) and provider.base_url == default)
    return VENDOR if is_vendor else ELSEWHERE


def _strings(value: Any) -> Iterator[str]:
    """Every string in it, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"

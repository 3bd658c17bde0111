"""An OpenAI-compatible chat service that looks at pictures: `POST /v1/chat/completions`, with or without the `/v1`.

It fills whatever JSON schema it is given: numbers with scores, texts with a sentence. A score follows from the
pictures and the field's name, so the same look is scored the same; all are between 0.75 and 1.
"""

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from PIL import Image

from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.wire import Answer, Request, reply

_PICTURE_TOKENS = 85
_CREATED = 1_767_225_600
_REMARK = "Seen by the emulator."


class JudgeSheet:
    """See the module. A judge's faults on submit: scores (`body`: one number for all, or a list in the schema's
    order), say (`body`: the text as it is), fence (in a code fence), omit (without the last score), refuse,
    filter (withheld), truncate (cut off by the token limit).
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk

    def aim(self, request: Request) -> tuple[str, str]:
        if request.method != "POST" or request.path.removeprefix("/v1") != "/chat/completions":
            return "unknown", ""
        body = request.json()
        return "submit", str(body.get("model", "")) if isinstance(body, dict) else ""

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if on == "unknown":
            return _refuse(404, f"Unknown request URL: {request.method} {request.path}.")
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or key == "invalid":
            return _refuse(401, "Incorrect API key provided.", code="invalid_api_key")
        _, model = self.aim(request)
        seen = self._desk.journal.submission(model, request, rule.do if rule else None)
        body = request.json()
        wrong = _check(body)
        if wrong:
            return _refuse(400, wrong)
        seen.request_id = f"chatcmpl-{uuid4().hex}"
        return reply(_completion(seen.request_id, body, rule))


def _check(body: Any) -> str:
    """What is wrong with a request; "" when it is fine."""
    if not isinstance(body, dict):
        return "We could not parse the JSON body of your request."
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "you must provide a model parameter"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "Missing required parameter: 'messages'."
    if not all(_is_picture(url) for url in _pictures(body)):
        return "You uploaded an unsupported image."
    return ""


def _parts(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in body["messages"]:
        content = message.get("content")
        yield from [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _pictures(body: Mapping[str, Any]) -> list[str]:
    return [part["image_url"]["url"] for part in _parts(body) if part.get("type") == "image_url"]


def _is_picture(url: str) -> bool:
    head, _, data = url.partition(";base64,")
    try:
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True)), formats=["JPEG", "PNG", "WEBP"]) as picture:
            return head == f"data:{picture.get_format_mimetype()}"
    except (binascii.Error, OSError):
        return False


def _completion(request_id: str, body: Mapping[str, Any], rule: Rule | None) -> dict[str, Any]:
    text = _text(body, rule)
    do = rule.do if rule else ""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    ended = "stop"
    if do == "refuse":
        message |= {"content": None, "refusal": "I'm sorry, I can't help with that."}
    elif do == "filter":
        message["content"], ended = "", "content_filter"
    elif do == "truncate":
        message["content"], ended = text[: len(text) // 2], "length"
    read = sum(len(str(part.get("text", ""))) for part in _parts(body)) // 4 + _PICTURE_TOKENS * len(_pictures(body))
    wrote = len(text) // 4
    return {
        "id": request_id,
        "object": "chat.completion",
        "created": _CREATED,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": ended}],
        "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
    }


def _text(body: Mapping[str, Any], rule: Rule | None) -> str:
    if rule and rule.do == "say":
        return str(rule.body)
    wanted = body.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        return _REMARK
    schema = wanted["json_schema"]["schema"]
    text = json.dumps(_Filling(body, schema, rule).fill(schema, ""))
    return f"```json\n{text}\n```" if rule and rule.do == "fence" else text


class _Filling:
    """A document that fits a schema. Leaves out the last number where the rule says so."""

    def __init__(self, body: Mapping[str, Any], schema: Mapping[str, Any], rule: Rule | None) -> None:
        self._named = schema.get("$defs", {})
        self._seen = "".join(_pictures(body))
        self._rule = rule
        self._given = list(rule.body) if rule and rule.do == "scores" and isinstance(rule.body, list) else []

    def fill(self, schema: Mapping[str, Any], name: str) -> Any:
        schema = self._named[schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else schema
        match schema.get("type"):
            case "object":
                return {key: self.fill(one, key) for key, one in self._kept(schema).items()}
            case "number" | "integer":
                return self._score(name)
            case _:
                return _REMARK

    def _kept(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties: dict[str, Any] = dict(schema["properties"])
        numbers = [key for key, one in properties.items() if one.get("type") == "number"]
        if self._rule and self._rule.do == "omit" and numbers:
            del properties[numbers[-1]]
        return properties

    def _score(self, name: str) -> float:
        if self._given:
            return float(self._given.pop(0))
        if self._rule and self._rule.do == "scores":
            return float(self._rule.body)
        digest = hashlib.sha256(f"{name} {self._seen}".encode()).digest()
        return round(0.75 + digest[0] / 1024, 3)


def _refuse(status: int, message: str, *, code: str | None = None) -> Answer:
    return reply({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}, status)

"""Prodia's v2 inference API: a job is a type with a configuration, and the files that the configuration names.

Most jobs are made in the background and polled. Types that finish in a second are answered with the result itself, as a
form that holds the job and its bytes; such a job cannot be asked about later.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from core.money import usd
from providers import multipart
from providers.contract import (
    Call,
    Cost,
    Generation,
    Job,
    JobState,
    Media,
    Output,
    Reply,
    Snapshot,
    Talk,
)
from providers.errors import Rejected, SubmissionUnknown, Unavailable
from providers.multipart import Part
from providers.sheet import ModelSheet
from providers.sheeted import SheetedProvider
from providers.verdict import json_object, require_ok
from providers.wire import idem_header

STATES = {  # their word: ours
    "processing": JobState.RUNNING,
    "processed": JobState.DONE,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
}
_WORD = re.compile(r"[\w .-]{1,64}")
_WORDS = (".txt", ".json", ".md")  # what a model says beside its pictures
_ENDINGS = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "video/quicktime": "mov"}
_NO_JOB = "00000000-0000-0000-0000-000000000000"
_INPUT_BYTES = 50_000_000
_RESULT_BYTES = 32_000_000
_MOST_USD = 10_000


class Prodia(SheetedProvider):
    """See the module."""

    name = "prodia"
    files_rule = "Prodia takes files, not addresses: give the file itself."
    default_base_url = "https://inference.prodia.com"
    key_variable = "PRODIA_TOKEN"
    submit_timeout_s = 120
    fetches_files = False
    media_hosts = (".prodia.com",)

    def takes(self, file: Media) -> bool:
        return file.url is None

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        model = self.sheets[generation.model]
        content_type, body = _form(model, generation)
        headers = {**self.download_headers(key), **idem_header(idem_key), "Content-Type": content_type}
        if model.sync:
            reply = yield Call(
                method="POST",
                url=f"{self.base_url}/v2/job?price=true",
                headers={**headers, "Accept": "multipart/form-data; image/png"},
                body=body,
                paid=True,
                timeout_s=self.submit_timeout_s,
                most_bytes=_RESULT_BYTES,
            )
            require_ok(reply, paid=True)
            return _made(reply, generation.model)
        url = f"{self.base_url}/v2/job/async?price=true"
        reply = yield Call(
            method="POST", url=url, headers={**headers, "Accept": "application/json"}, body=body, paid=True
        )
        require_ok(reply, paid=True)
        return Job(request_id=_id(json_object(reply, paid=True)), model=generation.model)

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        url = f"{self.base_url}/v2/job/async/{quote(job.request_id, safe='')}"
        reply = yield self._get(f"{url}/job.state.current", key)
        if reply.status == 404:
            return _failed("JOB_LOST")
        require_ok(reply)
        # A word we do not know means "still working": the deadline ends the job, not a guess.
        state = STATES.get(_word(reply), JobState.RUNNING)
        if state is JobState.FAILED:
            return _failed("PROVIDER_FAILED")
        if state is not JobState.DONE:
            return Snapshot(state=state)
        reply = yield self._get(f"{url}/job.json?price=true", key)
        if reply.status == 404:
            return _failed("OUTPUT_EXPIRED")
        require_ok(reply)
        record = json_object(reply)
        reply = yield self._get(f"{url}/output", key)
        if reply.status == 404:
            return _failed("OUTPUT_EXPIRED", _cost(record))
        require_ok(reply)
        return _done(record, self._outputs(url, reply))

    def check_key(self, *, key: str) -> Talk[bool]:
        # Prodia answers nothing about an account. Asked for a job that there is not, it can only refuse the key.
        reply = yield self._get(f"{self.base_url}/v2/job/async/{_NO_JOB}/job.state.current", key)
        if reply.status not in (400, 404):
            require_ok(reply)
        return False

    def download_headers(self, key: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def _get(self, url: str, key: str) -> Call:
        return Call(method="GET", url=url, headers=self.download_headers(key))

    def _outputs(self, url: str, reply: Reply) -> tuple[Output, ...]:
        """Results are fetched with the key, and only from where the job itself is; an address elsewhere gets none."""
        found = []
        for name in _names(reply):
            if name.startswith(("https://", "http://")):
                found.append(Output(url=name, authorized=self.is_own(name)))
            elif name not in (".", "..") and not name.lower().endswith(_WORDS):
                found.append(Output(url=f"{url}/output/{quote(name, safe='', errors='replace')}", authorized=True))
        return tuple(dict.fromkeys(found))


def _form(model: ModelSheet, generation: Generation) -> tuple[str, bytes]:
    """The job and its files, to which the configuration refers by name; without files it is plain JSON."""
    files = [(_name(number, file), file) for number, file in enumerate(model.files(generation))]
    config = model.body(generation, [name for name, _ in files])
    job = json.dumps({"type": generation.model, "config": config}, separators=(",", ":")).encode()
    if not files:
        return "application/json", job
    parts = [("job", Part(content=job, content_type="application/json", filename="job.json"))]
    parts += [
        ("input", Part(content=_read(file), content_type=file.content_type, filename=name)) for name, file in files
    ]
    return multipart.write(parts)


def _name(number: int, media: Media) -> str:
    ending = _ENDINGS.get(media.content_type, re.sub(r"\W", "", media.content_type.partition("/")[2]) or "bin")
    return f"input-{number}.{ending}"


def _read(media: Media) -> bytes:
    content = media.read() if media.read else b""
    if len(content) > _INPUT_BYTES:
        raise Rejected("A file is larger than is sent to Prodia.")
    return content


def _id(record: Mapping[str, Any]) -> str:
    found = record.get("id")
    if not isinstance(found, str) or not found:
        raise SubmissionUnknown("The provider's answer to the submission names no job.")
    return found


def _made(reply: Reply, model: str) -> Job:
    """The job that came back with its results."""
    record: dict[str, Any] | None = None
    outputs = []
    for name, part in multipart.read_all(reply.headers.get("content-type", ""), reply.body):
        if name == "job":
            record = json_object(Reply(status=200, headers={}, body=part.content), paid=True)
        elif not part.content_type.startswith(("text/", "application/json")) and part.content:
            outputs.append(Output(content=part.content))
    if record is None:
        raise SubmissionUnknown("The provider's answer to the submission names no job.")
    if _state(record) is JobState.FAILED or record.get("error"):
        return Job(request_id=_id(record), model=model, snapshot=_failed("PROVIDER_FAILED", _cost(record)))
    return Job(request_id=_id(record), model=model, snapshot=_done(record, tuple(outputs)))


def _state(record: Mapping[str, Any]) -> JobState | None:
    state = record.get("state")
    return STATES.get(str(state.get("current"))) if isinstance(state, dict) else None


def _done(record: Mapping[str, Any], outputs: tuple[Output, ...]) -> Snapshot:
    if not outputs:
        return _failed("OUTPUT_MISSING", _cost(record))
    config = record.get("config")
    seed = config.get("seed") if isinstance(config, dict) else None
    known = type(seed) is int and abs(seed) < 2**63
    return Snapshot(
        state=JobState.DONE, progress=1.0, outputs=outputs, cost=_cost(record), seed=seed if known else None
    )


def _failed(code: str, cost: Cost | None = None) -> Snapshot:
    return Snapshot(state=JobState.FAILED, error_code=code, retryable=True, cost=cost)


def _cost(record: Mapping[str, Any]) -> Cost | None:
    """What Prodia says it charged; None where it does not say, or nothing that can be true."""
    price = record.get("price")
    dollars = price.get("dollars") if isinstance(price, dict) else None
    if not isinstance(dollars, int | float) or isinstance(dollars, bool):
        return None
    try:
        amount = Decimal(str(dollars))
        return Cost(usd=usd(amount), source="reported") if 0 <= amount <= _MOST_USD else None
    except InvalidOperation:  # comparing a NaN
        return None


def _word(reply: Reply) -> str:
    """The state, which is plain text. Raises Unavailable where the answer is no word at all."""
    text = reply.body.decode("utf-8", "replace").strip().strip('"')
    if not _WORD.fullmatch(text):
        raise Unavailable("The provider's answer makes no sense.")
    return text.lower()


def _names(reply: Reply) -> list[str]:
    """The names in a list of files: of strings, or of objects that have one; which of them, is not documented.

    Raises Unavailable where there is no list: to take that for "no results" would be to buy them again.
    """
    try:
        listed = json.loads(reply.body)
    except (ValueError, RecursionError):
        listed = None
    if isinstance(listed, dict):
        listed = next((value for value in listed.values() if isinstance(value, list)), None)
    if not isinstance(listed, list):
        raise Unavailable("The provider's answer makes no sense.")
    names = [one.get("name", one.get("filename", one.get("url"))) if isinstance(one, dict) else one for one in listed]
    return [name for name in names if isinstance(name, str) and name]


PROVIDER = Prodia()

"""A transcript: one JSON document that says what was asked, what was called, and what was answered.

Its calls are in the order in which they were made. Everything in it has been through `providers.transcript.clean`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from providers.contract import Generation, Media

FORMAT = 1
EMULATOR, VENDOR, ELSEWHERE = "emulator", "vendor", "elsewhere"


class TranscriptInvalid(ValueError):
    """The file is no transcript that this version can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """See the module. `recorded_from`: vendor, emulator, or elsewhere, which is any other address.

    `outcome` is done, or the code of what went wrong. `adapter` is a digest of the adapter's text. `media` and the
    bodies say what bytes were; `files` are the results that were fetched. Money is USD, None where nothing was said.
    """

    provider: str
    recorded_from: str
    recorded_on: str
    zaps: str
    adapter: str
    outcome: str
    quoted_usd: str | None = None
    cost_usd: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[Mapping[str, Any], ...] = ()
    media: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_live(self) -> bool:
        """Did the vendor itself deliver what was asked for?"""
        return self.recorded_from == VENDOR and self.outcome == "done"

    def text(self) -> str:
        """As a file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=True) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Transcript":
        """What `text` wrote. Raises TranscriptInvalid."""
        try:
            document = json.loads(text)
            if document.pop("format") != FORMAT:
                raise TranscriptInvalid("It is a transcript of another version.")
            calls, files = tuple(document.pop("calls")), tuple(document.pop("files"))
            return cls(calls=calls, files=files, **document)
        except TranscriptInvalid:
            raise
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise TranscriptInvalid("It is no transcript.") from None

    @classmethod
    def read(cls, path: Path) -> "Transcript":
        """The file. Raises TranscriptInvalid, and OSError."""
        return cls.parse(path.read_text("utf-8"))

    def generation(self, read: Callable[[str], bytes]) -> Generation:
        """What was asked for. `read` gives the bytes of another file of the same type where one went in."""
        asked = self.asked
        seconds = asked["duration_s"]
        files = [Media(content_type=one, read=partial(read, one)) for one in asked["inputs"]]
        images, videos, audios = (
            tuple(file for file in files if file.content_type.startswith(kind)) for kind in ("image", "video", "audio")
        )
        return Generation(
            capability=asked["kind"],
            model=asked["model"],
            prompt=asked["prompt"],
            images=images,
            videos=videos,
            audios=audios,
            duration_s=None if seconds is None else Decimal(seconds),
            aspect=asked["aspect"],
            params=asked["params"],
        )

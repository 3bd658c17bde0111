"""Stand-ins for the answers that nobody has given yet, so that a recipe can be planned before it is filled in."""

from collections.abc import Mapping
from typing import Any

_STAND_INS = {
    "number": 1,
    "image": "https://example.com/a.png",
    "video": "https://example.com/a.mp4",
    "audio": "https://example.com/a.wav",
}


def example_of(question: Mapping[str, Any]) -> Any:
    """Something that an input of the interface takes. Nothing is fetched from where it points."""
    if question["options"]:
        return question["options"][0]
    return _STAND_INS.get(question["type"], question["hint"] or question["label"] or question["name"])

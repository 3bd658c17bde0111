"""A step kind: what a step of that name makes, and, where it runs on our own machine, how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import Refused
from core.registry import Registry


class UnusableMaterial(Refused):
    """A local step was given a file that it can make nothing of."""

    code = "LOCAL_INPUT_UNUSABLE"
    title = "This step cannot use what was given to it."
    remediation = "Let the recipe name steps that make clips or sounds."


class NothingMade(Refused):
    """A local step ended without any file."""

    code = "LOCAL_OUTPUT_MISSING"
    title = "This step made nothing."
    remediation = "Look at what goes into it; if that is right, the step kind is broken."


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One input file of a local step, with the step that made it. `kind`: png, mp4, wav or json."""

    step_id: str
    path: Path
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalJob:
    """What a local step has to work with. Files are written into `folder`, an empty directory of its own."""

    inputs: Sequence[Material]  # in recipe order
    folder: Path
    params: Mapping[str, Any]
    aspect: str | None
    beat: Callable[[], None] = field(
        repr=False
    )  # call it every few seconds: it keeps the lease, and raises when it is lost


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """What a recipe's `kind:` means.

    `makes` is the class of the main asset: png, mp4, wav or json. `uses` are the classes that the step's references may
    bring; empty: any. `render` is set exactly for local kinds; it returns the files it wrote, at least one,
    the main one first.
    """

    name: str
    makes: str
    uses: tuple[str, ...] = ()
    works_on: str | None = None  # the class that it cannot do without
    needs_duration: bool = False
    shaped: bool = True  # an aspect can be asked for
    repeats: bool = False  # `repeat:` expands it into numbered steps
    render: Callable[[LocalJob], list[Path]] | None = None


KINDS: Registry[StepKind] = Registry("zaps.kinds", "KIND")

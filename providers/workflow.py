"""A graph of nodes that makes media, and the slots in which our values go: node and input, never text in text.

As a JSON document, in an operator's file as in a recipe's `params`:

workflow      the graph as ComfyUI exports it for its API: {node: {class_type, inputs}}
slots         our word: [node, input], or a list of such pairs
makes         the step kinds it is for; default_for: those for which it is used when a step names no model
sizes         our aspect: [width, height], for the slots width and height; ours are of about a megapixel
fps           for the slot frames, which gets one frame more than fit into the duration
gpu_s         how many seconds of GPU time it takes at most, where that is paid for

Words with a meaning of their own are prompt, seed, image, image_2…, video, video_2…, audio, audio_2…, width, height,
duration (seconds) and frames. Any other slot is a field of `params`, and keeps the graph's own value without it.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from providers.contract import Generation, Media

Complaint: TypeAlias = tuple[str, str]  # a field, and what is wrong with it
Place: TypeAlias = tuple[str, str]  # a node, and one of its inputs

KEYS = frozenset({"workflow", "slots", "makes", "default_for", "sizes", "fps", "gpu_s"})
SIZES = {"1:1": (1024, 1024), "4:3": (1152, 896), "3:4": (896, 1152), "16:9": (1344, 768), "9:16": (768, 1344)}
_FILE_SLOT = re.compile(r"(image|video|audio)(?:_([2-9]|1[0-9]))?")
_OURS = frozenset({"prompt", "width", "height", "duration", "frames"})
_WORDS = {"image": "picture", "video": "clip", "audio": "sound"}
_TIMED = frozenset({"video.gen", "video.extend", "audio.music", "audio.sfx"})
_GPU_S = 600
_MATERIAL = "reference_images"
_NOT_FIELDS = frozenset({"mock", "scale"})


class WorkflowInvalid(ValueError):
    """The document is no workflow that could be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One workflow; see the module. Holds what was checked: every slot leads to an input of its graph."""

    name: str
    graph: Mapping[str, Any] = field(repr=False)
    slots: Mapping[str, tuple[Place, ...]]
    makes: tuple[str, ...] = ()
    default_for: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=lambda: SIZES)
    fps: int = 0
    gpu_s: int = _GPU_S

    def check(self, generation: Generation) -> list[Complaint]:
        """Why it cannot make this: (field, sentence) pairs; [] when it can."""
        problems = [
            *self._check_files(generation),
            *self._check_words(generation),
            *self._check_shape(generation),
            *self._check_params(generation.params),
        ]
        if self.makes and generation.capability not in self.makes:
            problems.insert(0, ("model", f"{self.name} does not do {generation.capability}."))
        return problems

    def files(self, generation: Generation) -> tuple[Media, ...]:
        """Everything that goes in; `filled` is given their names in this order."""
        return tuple(media for _, given in self._given(generation) for media in given)

    def filled(self, generation: Generation, names: Sequence[str], seed: int) -> dict[str, Any]:
        """The graph with every slot's value in its place. `seed` is used unless the params have one."""
        graph: dict[str, Any] = copy.deepcopy(dict(self.graph))
        for word, value in self._values(generation, names, seed).items():
            for node, name in self.slots.get(word, ()):
                graph[node]["inputs"][name] = value
        return graph

    def seed(self, generation: Generation, seed: int) -> int | None:
        """The seed that `filled` puts in; None where there is no slot for one."""
        if "seed" not in self.slots:
            return None
        own = generation.params.get("seed")
        return own if isinstance(own, int) else seed

    def _values(self, generation: Generation, names: Sequence[str], seed: int) -> dict[str, Any]:
        values = {name: generation.params[name] for name in self._fields() if name in generation.params}
        values["seed"] = self.seed(generation, seed)
        values["prompt"] = generation.prompt
        left = iter(names)
        for kind, given in self._given(generation):
            values |= {_slot(kind, number): next(left) for number in range(1, len(given) + 1)}
        if generation.aspect is not None and generation.aspect in self.sizes:
            values["width"], values["height"] = self.sizes[generation.aspect]
        if generation.duration_s is not None:
            seconds = generation.duration_s
            values["duration"] = int(seconds) if seconds == int(seconds) else float(seconds)
            values["frames"] = round(seconds * self.fps) + 1
        return values

    def _given(self, generation: Generation) -> tuple[tuple[str, tuple[Media, ...]], ...]:
        """What goes in, by kind. A first frame comes before the references, or takes their place if not all fit."""
        pictures = generation.images
        if generation.first_frame:
            pictures = (generation.first_frame, *pictures)[: max(self._room("image"), 1)]
        return ("image", pictures), ("video", generation.videos), ("audio", generation.audios)

    def _room(self, kind: str) -> int:
        """How many slots there are for such files."""
        return sum(1 for word in self.slots if (found := _FILE_SLOT.fullmatch(word)) and found[1] == kind)

    def _fields(self) -> list[str]:
        """The slots that a recipe's params may fill."""
        return [word for word in self.slots if word not in _OURS and not _FILE_SLOT.fullmatch(word)]

    def _check_files(self, generation: Generation) -> Iterator[Complaint]:
        for kind, given in self._given(generation):
            wanted = self._room(kind)
            if given and not wanted:
                yield _MATERIAL, f"{self.name} takes no {_WORDS[kind]}; choose another workflow, or leave it out."
            elif len(given) != wanted:
                many = f"{wanted} {_WORDS[kind]}{'' if wanted == 1 else 's'}"
                yield _MATERIAL, f"{self.name} takes {many}, not {len(given)}."

    def _check_words(self, generation: Generation) -> Iterator[Complaint]:
        if "prompt" in self.slots and not generation.prompt.strip():
            yield "prompt", f"{self.name} needs a prompt."
        if "prompt" not in self.slots and generation.prompt.strip():
            yield "prompt", f"{self.name} takes no prompt; leave it out."

    def _check_shape(self, generation: Generation) -> Iterator[Complaint]:
        timed = self.slots.keys() & {"duration", "frames"}
        if generation.duration_s is not None and generation.capability in _TIMED and not timed:
            yield "duration_s", f"{self.name} has no slot for a duration: give it `duration` or `frames`."
        if generation.aspect is None:
            return
        if "width" in self.slots and generation.aspect not in self.sizes:
            yield "aspect", f"{self.name} makes {', '.join(self.sizes)}, not {generation.aspect}."
        elif "width" not in self.slots and not self.files(generation):
            yield "aspect", f"{self.name} chooses the shape itself; it cannot be asked for one."

    def _check_params(self, params: Mapping[str, Any]) -> Iterator[Complaint]:
        fields = self._fields()
        for name, value in params.items():
            if name in fields:
                yield from self._check_value(name, value)
            elif name not in KEYS and name not in _NOT_FIELDS:
                known = ", ".join(fields) or "none"
                yield f"params.{name}", f"{self.name} has no such slot to fill; it has: {known}."

    def _check_value(self, name: str, value: object) -> Iterator[Complaint]:
        for node, place in self.slots[name]:
            wanted = "a number" if name == "seed" else _sort(self.graph[node]["inputs"][place])
            if wanted != _sort(value):
                yield f"params.{name}", f"{self.name} wants {wanted} for {name}."
                return


def read(document: object, name: str) -> Workflow:
    """The workflow in a JSON document. Raises WorkflowInvalid."""
    if not isinstance(document, Mapping):
        raise WorkflowInvalid("It is no JSON object.")
    if unknown := sorted(str(key) for key in document.keys() - KEYS):
        raise WorkflowInvalid(f"It has keys that mean nothing: {', '.join(unknown)}.")
    graph = _graph(document.get("workflow"))
    slots = _slots(document.get("slots"), graph)
    fps, gpu_s = (_whole(document.get(key, usual), key) for key, usual in (("fps", 0), ("gpu_s", _GPU_S)))
    if "frames" in slots and not fps:
        raise WorkflowInvalid("It has a slot `frames`, so it needs `fps`.")
    if ("width" in slots) != ("height" in slots):
        raise WorkflowInvalid("The slots `width` and `height` only work together.")
    for kind in _WORDS:
        numbers = sorted(
            int(found[2] or 1) for word in slots if (found := _FILE_SLOT.fullmatch(word)) and found[1] == kind
        )
        if numbers != list(range(1, len(numbers) + 1)):
            raise WorkflowInvalid(f"Its slots for files are {kind}, {kind}_2, {kind}_3 and so on, without a gap.")
    return Workflow(
        name=name,
        graph=graph,
        slots=slots,
        makes=_texts(document.get("makes", ()), "makes"),
        default_for=_texts(document.get("default_for", ()), "default_for"),
        sizes=_sizes(document["sizes"]) if "sizes" in document else SIZES,
        fps=fps,
        gpu_s=gpu_s,
    )


def _graph(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and "nodes" in value and "links" in value:
        raise WorkflowInvalid("Its graph is the editor's own file; save it with Export (API).")
    if not isinstance(value, Mapping) or not value:
        raise WorkflowInvalid("Its `workflow` is no graph: that is {node: {class_type, inputs}}.")
    for node, about in value.items():
        fits = isinstance(about, Mapping) and isinstance(about.get("class_type"), str)
        if not isinstance(node, str) or not fits or not isinstance(about.get("inputs"), Mapping):
            raise WorkflowInvalid(f"Node {node} of its graph has no class_type or no inputs; quote the node's number.")
    return value


def _slots(value: object, graph: Mapping[str, Any]) -> dict[str, tuple[Place, ...]]:
    if not isinstance(value, Mapping):
        raise WorkflowInvalid("It has no `slots`: those are {word: [node, input]}.")
    slots: dict[str, tuple[Place, ...]] = {}
    for word, places in value.items():
        if not isinstance(word, str) or word in KEYS | _NOT_FIELDS or not isinstance(places, Sequence) or not places:
            raise WorkflowInvalid(f"The slot {word} is not word: [node, input].")
        pairs = [places] if isinstance(places[0], str | int) else places
        slots[word] = tuple(_place(word, pair, graph) for pair in pairs)
    return slots


def _place(word: str, pair: object, graph: Mapping[str, Any]) -> Place:
    if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
        raise WorkflowInvalid(f"The slot {word} is not word: [node, input].")
    node, name = str(pair[0]), str(pair[1])
    inputs = graph.get(node, {}).get("inputs", {})
    if name not in inputs:
        raise WorkflowInvalid(f"The slot {word} leads to {node}.{name}, which is no input of the graph.")
    if isinstance(inputs[name], Sequence) and not isinstance(inputs[name], str):
        raise WorkflowInvalid(f"The slot {word} leads to {node}.{name}, which another node feeds.")
    return node, name


def _sizes(value: object) -> dict[str, tuple[int, int]]:
    try:
        sizes = {str(aspect): (int(width), int(height)) for aspect, (width, height) in value.items()}  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        sizes = {}
    if not sizes or any(not 16 <= side <= 16_384 for pair in sizes.values() for side in pair):
        raise WorkflowInvalid("Its `sizes` are not aspect: [width, height], from 16 to 16384.")
    return sizes


def _texts(value: object, key: str) -> tuple[str, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise WorkflowInvalid(f"Its `{key}` is no list of step kinds.")


def _whole(value: object, key: str) -> int:
    if type(value) is int and 0 <= value <= 86_400:
        return value
    raise WorkflowInvalid(f"Its `{key}` is no whole number.")


def _slot(kind: str, number: int) -> str:
    return kind if number == 1 else f"{kind}_{number}"


def _sort(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float | Decimal) else "a text" if isinstance(value, str) else "nothing"

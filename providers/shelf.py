"""Which workflow a step means: one that lies in the operator's folder, or the one that it brings along."""

import json
from pathlib import Path

from providers.contract import Generation
from providers.workflow import Complaint, Workflow, WorkflowInvalid, read

RECIPE = "recipe"  # the model of a step that brings its workflow along
_BROUGHT = ("workflow", "slots", "sizes", "fps")  # of `params`


class Shelf:
    """The workflows of a folder, by their files' names without `.json`; one that cannot be used says so when asked for.

    `may_bring`: may steps bring graphs of their own? Such a graph is a program on the operator's machine.
    """

    def __init__(self, folder: Path | None, *, may_bring: bool) -> None:
        self._found = {path.stem: _load(path) for path in sorted(folder.glob("*.json"))} if folder else {}
        self._may_bring = may_bring

    def default(self, capability: str) -> str | None:
        """The workflow for steps that name none; None where there is none in particular."""
        for name, found in self._found.items():
            if isinstance(found, Workflow) and capability in found.default_for:
                return name
        return None

    def pick(self, generation: Generation) -> Workflow | Complaint:
        """The workflow, or why there is none: (field, sentence)."""
        if generation.model == RECIPE:
            return self._brought(generation)
        found = self._found.get(generation.model)
        if found is None:
            return "model", f"There is no workflow {generation.model} in the operator's folder."
        if isinstance(found, WorkflowInvalid):
            return "model", f"The workflow {generation.model} cannot be used. {found}"
        if "workflow" in generation.params:
            return "model", f"A step that brings its own workflow has `model: {RECIPE}`."
        return found

    def _brought(self, generation: Generation) -> Workflow | Complaint:
        params = generation.params
        if "workflow" not in params:
            return "params.workflow", "Name a workflow of the operator's as `model`, or bring one: workflow and slots."
        if not self._may_bring:
            return (
                "params.workflow",
                "The operator lets recipes bring no workflows; name one of the operator's as `model`.",
            )
        try:
            return read({name: params[name] for name in _BROUGHT if name in params}, "The step's workflow")
        except WorkflowInvalid as exc:
            return "params.workflow", str(exc)


def _load(path: Path) -> Workflow | WorkflowInvalid:
    try:
        return read(json.loads(path.read_text("utf-8")), path.stem)
    except WorkflowInvalid as exc:
        return exc
    except (OSError, ValueError, RecursionError):
        return WorkflowInvalid("It is no JSON document that can be read.")

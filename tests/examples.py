"""The recipes in `examples/`, and what each of them is asked to make."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = {file.parent.name: file.read_text("utf-8") for file in sorted(FOLDER.glob("*/Zap.md"))}
_INPUTS = {
    "candidates-and-judge": {"PLACE": "a harbour in the fog"},
    "extend-chain": {"WALKER": "a dog with a stick"},
    "gate": {"ANIMAL": "a heron"},
    "shared-sketch": {"DEED": "repairs a bicycle"},
    "when-and-needs": {"WEATHER": "storm"},
}


def inputs_of(name):
    """Whatever the example requires."""
    return _INPUTS.get(name, {})

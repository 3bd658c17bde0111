"""The pipeline as a drawing: the boxes of `web.graph` with what is written in them."""

from collections.abc import Iterable, Mapping
from typing import Any

from web import graph, words


def of_plan(steps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A plan, or the steps of a run, as the template draws it."""
    by_id = {step["stepId"]: step for step in steps}
    layout = graph.lay_out({step_id: step["parents"] for step_id, step in by_id.items()})
    return {
        "width": layout.width,
        "height": layout.height,
        "box_width": graph.WIDTH,
        "box_height": graph.HEIGHT,
        "edges": [
            {"path": path, "status": by_id[end]["status"], "flows": by_id[start]["status"] == "done"}
            for path, start, end in layout.edges
        ],
        "boxes": [_box(box, by_id[box.step_id]) for box in layout.boxes],
    }


def _box(box: graph.Box, step: Mapping[str, Any]) -> dict[str, Any]:
    kind = words.KIND.get(step["kind"], step["kind"])
    status = words.STATUS.get(step["status"], "")
    after = f"after {', '.join(step['parents'])}" if step["parents"] else "first"
    name = step["stepId"] if len(step["stepId"]) <= 18 else f"{step['stepId'][:17]}…"
    return {
        "x": box.x,
        "y": box.y,
        "step_id": step["stepId"],
        "name": name,
        "status": step["status"],
        "line": f"{kind} · {status}" if status else kind,
        "said": ", ".join(filter(None, [step["stepId"], kind, status, after])),
        "progress": round(graph.WIDTH * step.get("progress", 0)) if step["status"] == "running" else 0,
    }

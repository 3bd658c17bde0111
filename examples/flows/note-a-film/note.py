"""Notes where a finished film is, and what it is. Needs Python alone, and ZAP_API_URL and ZAP_RUN_KEY of the worker's.

The event says which run it was. What only some may know, such as what the run was given, is asked for with the key.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

GONE = (404, 410)


def main() -> None:
    flow = json.load(sys.stdin)["flow"]
    told = flow["event"]["payload"]
    try:
        document = read(f"/api/runs/{told['runId']}")
    except urllib.error.HTTPError as exc:
        if exc.code not in GONE:
            raise
        print("FLOW_RESULT", json.dumps({"status": "skipped", "reason": "The run was deleted, or is another's."}))
        return
    film = next(one for one in document["assets"] if one["assetId"] == told["film"]["assetId"])
    path = Path(flow["config"]["folder"]) / f"{told['runId']}.md"
    write(path, note(document["run"], film, told))
    print("FLOW_RESULT", json.dumps({"status": "completed", "note": str(path), "film": film["url"]}))


def note(run: dict[str, Any], film: dict[str, Any], told: dict[str, Any]) -> str:
    """What is written down."""
    given = "".join(f"- {name}: {value}\n" for name, value in sorted(run["inputs"].items()))
    address = urljoin(os.environ["ZAP_API_URL"], film["url"])
    return f"# {told['zapSlug']}\n\n{address}\n\n{film['durationS']} s, ${told['spentUsd']}\n\n{given}"


def write(path: Path, text: str) -> None:
    """All of it or nothing; a step that is tried again writes the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def read(path: str) -> dict[str, Any]:
    """Raises HTTPError, and URLError when nobody answers."""
    headers = {"Authorization": f"Bearer {os.environ['ZAP_RUN_KEY']}"}
    request = urllib.request.Request(os.environ["ZAP_API_URL"] + path, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


main()

"""Draws the clients' types from the OpenAPI document. `--check` only says whether they are what it would draw."""

import subprocess
import sys
import tempfile
from pathlib import Path

from clients import node
from clients.node import CLIENT, ROOT

HEADER = "Drawn by ./dev types from the OpenAPI document. Do not edit."


def main(words: list[str]) -> int:
    """0 when the files are written, or are what they should be; 1 when `--check` finds a stale one."""
    node.set_up(CLIENT)
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        _run(sys.executable, "manage.py", "spectacular", "--format", "openapi-json", "--file", str(document))
        drawn = {
            CLIENT / "src" / "schema.ts": _typescript(document),
            ROOT / "clients" / "python" / "zaps_client" / "types.py": _python(document),
        }
    stale = [path for path, text in drawn.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in words:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run ./dev types and commit it.")
        return 1 if stale else 0
    for path in stale:
        path.write_text(drawn[path], "utf-8")
        print(f"Drew {path.relative_to(ROOT)}.")
    return 0


def _typescript(document: Path) -> str:
    drawn = document.with_name("schema.ts")
    tool = CLIENT / "node_modules" / ".bin" / "openapi-typescript"
    _run(str(tool), str(document), "--output", str(drawn), "--root-types", "--root-types-no-schema-prefix")
    return f"// {HEADER}\n{drawn.read_text('utf-8')}"


def _python(document: Path) -> str:
    drawn = document.with_name("types.py")
    _run(
        *(sys.executable, "-m", "datamodel_code_generator", "--input", str(document), "--output", str(drawn)),
        *("--input-file-type", "openapi", "--output-model-type", "typing.TypedDict", "--target-python-version", "3.11"),
        *("--enum-field-as-literal", "all", "--use-schema-description", "--formatters", "ruff-format"),
        *("--custom-file-header", f'"""{HEADER}"""'),
    )
    return drawn.read_text("utf-8")


def _run(*command: str) -> None:
    """Raises SystemExit with what the tool said, when it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout.strip()}\n`{' '.join(command[:3])}` failed; the lines above say why.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

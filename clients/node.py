"""Makes a folder's node_modules hold exactly what its package-lock.json says."""

import hashlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENT, FRONTEND = ROOT / "clients" / "typescript", ROOT / "examples" / "frontend"
NEEDED = ("node", "npm")


def is_set_up(folder: Path) -> bool:
    """Whether nothing has to be fetched."""
    stamp = _stamp(folder)
    return stamp.is_file() and stamp.read_text("utf-8") == _digest(folder)


def set_up(folder: Path) -> None:
    """Nothing to do costs a millisecond. Raises SystemExit where Node is missing, or npm fails."""
    if is_set_up(folder):
        return
    npm = shutil.which("npm")
    if not (npm and shutil.which("node")):
        raise SystemExit("This needs Node 18 or newer with its npm: apt-get install nodejs npm")
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{done.stderr.strip()}\n`npm ci` failed in {folder.name}; the lines above say why.")
    _stamp(folder).write_text(_digest(folder), "utf-8")


def _stamp(folder: Path) -> Path:
    return folder / "node_modules" / ".zaps-stamp"


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()

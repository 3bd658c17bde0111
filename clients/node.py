"""Makes a folder's node_modules hold exactly what its package-lock.json says."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENT, FRONTEND = ROOT / "clients" / "typescript", ROOT / "examples" / "frontend"
NEEDED = ("node", "npm")


def is_set_up(folder: Path) -> bool:
    """Whether nothing has to be fetched: npm writes its own list when it has installed all of the other."""
    installed = folder / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime


def set_up(folder: Path) -> None:
    """Nothing to do costs a millisecond. Raises SystemExit where Node is missing, or npm fails."""
    if is_set_up(folder):
        return
    npm = shutil.which("npm")
    if not (npm and shutil.which("node")):
        raise SystemExit("This needs Node 18 or newer with its npm: apt-get install nodejs npm")
    command = [npm, "ci", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr.strip()}\n`npm ci` failed in {folder.name}; the lines above say why.")

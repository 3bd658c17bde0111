"""Node's own tools and Bun, where they are installed: `./dev test --all` installs them, and wants them."""

import shutil
import subprocess

import pytest

from clients import node
from tests import bun

needs_bun = pytest.mark.skipif(not bun.is_there(), reason="Bun is not installed: ./dev test --all installs it")
needs_node = pytest.mark.skipif(
    not (all(map(shutil.which, node.NEEDED)) and node.is_set_up(node.CLIENT) and node.is_set_up(node.FRONTEND)),
    reason="Node, or what its lock files name, is not installed: ./dev test --all installs it",
)


def npm(folder, *words):
    """Run a script of the folder's package.json; what it printed is shown where it fails."""
    command = [shutil.which("npm"), "run", "--silent", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""Bun: the one that tests/npm/package-lock.json names, or else the machine's own."""

import os
import shutil

from clients import node

FOLDER = node.ROOT / "tests" / "npm"
PATH = os.pathsep.join((str(FOLDER / "node_modules" / ".bin"), os.environ.get("PATH", os.defpath)))


def is_there():
    return shutil.which("bun", path=PATH) is not None

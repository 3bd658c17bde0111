"""A Django project of somebody else's, who did with the wheel what docs/flows.md says, and has nothing else of ours."""

import os
import shlex
import shutil
import subprocess
import sys
import uuid
from importlib.metadata import distribution
from pathlib import Path

import psycopg
import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from psycopg.conninfo import conninfo_to_dict

from tests.docs.blocks import ROOT, blocks_of
from tests.servers import SERVERS

KEY = "the-key-of-the-shop"
WITHIN_S = 600
PAGE = (ROOT / "docs" / "flows.md").read_text("utf-8")
#: the page's blocks, in their order
INSTALL, SETTINGS, URLS, POLICY, STORY, HOOK, WORKER = blocks_of(
    "docs/flows.md", PAGE[PAGE.index("## In another project") :]
)

_SETTINGS = """
INSTALLED_APPS += ["orders"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", **{where}}}}}
SHOP_FLOWS_KEY = "{key}"
"""
#: the smallest project that there can be
_BARE = """from shop.settings import *

INSTALLED_APPS = ["orders", "flows"]
MIDDLEWARE = []
ROOT_URLCONF = "shop.bare_urls"
"""
#: serves the project, and at /modules tells what it has imported; its port is the first line
_SERVE = """import json, sys
from wsgiref.simple_server import make_server
from shop.wsgi import application

def answer(environ, start_response):
    if environ["PATH_INFO"] != "/modules":
        return application(environ, start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}).encode()]

with make_server("127.0.0.1", 0, answer) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
"""


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=WITHIN_S, check=False, **options
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def build(folder):
    """The wheel of this checkout, made from a copy of its files: what an earlier build left lying is none of it."""
    skipped = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, folder / "source", ignore=skipped)
    run(uv.find_uv_bin(), "build", "--offline", "--wheel", "--no-build-isolation", "--python", sys.executable,
        "--out-dir", folder / "out", folder / "source")  # fmt: skip
    (wheel,) = (folder / "out").glob("*.whl")
    return wheel


def wanted():
    """What the page says is to be installed, besides the wheel alone."""
    alone, rest = [shlex.split(line) for line in INSTALL.text.splitlines()]
    assert alone == ["pip", "install", "--no-deps", "zaps"]
    return [Requirement(word) for word in rest[2:]]


class Shop:
    """The project `shop` with its app `orders`, in an environment of its own."""

    def __init__(self, folder, wheel):
        self.root, self._bin = folder / "shop", folder / "venv" / "bin"
        run(uv.find_uv_bin(), "venv", "--offline", "--python", sys.executable, folder / "venv")
        (self.site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        for name in _with_their_own(wanted()):
            _lend(distribution(name), self.site)
        run(uv.find_uv_bin(), "pip", "install", "--offline", "--no-deps", "--python", self._bin / "python", wheel)
        self.root.mkdir()
        self.python("-m", "django", "startproject", "shop", ".")
        self.python("manage.py", "startapp", "orders")

    def follow_the_page(self, database):
        """Everything but the story, which is run by who wants to see it."""
        where = {"NAME" if name == "dbname" else name.upper(): value for name, value in database.items()}
        self._add("shop/settings.py", _SETTINGS.format(key=KEY, where=where) + SETTINGS.text)
        self._add("shop/urls.py", URLS.text)
        for block in (POLICY, HOOK):
            (self.root / block.file).write_text(block.text)
        (self.root / "shop" / "bare.py").write_text(_BARE)
        (self.root / "shop" / "bare_urls.py").write_text(f"urlpatterns = []\nfrom django.urls import path\n{URLS.text}")
        (self.root / "serve.py").write_text(_SERVE)
        self.python("manage.py", "migrate", "--verbosity", "0")

    def python(self, *words, **options):
        return run(self._bin / "python", *words, cwd=self.root, env=self.environment(), **options)

    def serve(self, settings):
        """The server's process, whose first line is its port."""
        return subprocess.Popen(
            [self._bin / "python", "serve.py"], cwd=self.root, env=self.environment(settings),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def environment(self, settings="shop.settings"):
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "DJANGO_SETTINGS_MODULE": settings}

    def _add(self, name, text):
        with (self.root / name).open("a") as file:
            file.write(text)


class Database:
    """One of its own on the tests' server, used with `with`: what psycopg is told to find it."""

    def __init__(self):
        self._name = f"shop_{uuid.uuid4().hex}"

    def __enter__(self):
        self._say(f"CREATE DATABASE {self._name}")
        return {**conninfo_to_dict(SERVERS.database_url), "dbname": self._name}

    def __exit__(self, *_):
        self._say(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _say(self, statement):
        with psycopg.connect(SERVERS.database_url, autocommit=True) as connection:
            connection.execute(statement)


def _with_their_own(requirements):
    """The names of these and of all that they need here."""
    found, waiting = set(), list(requirements)
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            if (key := (canonicalize_name(one.name), extra)) in found:
                continue
            found.add(key)
            needs = map(Requirement, distribution(one.name).requires or [])
            waiting += [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


def _lend(package, site):
    """Let an environment have a package of ours, and nothing that lies beside it."""
    for top in {path.parts[0] for path in package.files} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(Path(package.locate_file(top)))

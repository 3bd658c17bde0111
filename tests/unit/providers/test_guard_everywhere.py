"""Nobody connects beside the guard: shown on the text of the whole house."""

import ast
from functools import cache
from pathlib import Path

import pytest

from providers.home import _TALKS
from providers.registry import PROVIDERS

ROOT = Path(__file__).parents[3]
ROOMS = (
    "accounts",
    "automations",
    "bridge",
    "cli",
    "config",
    "core",
    "embedded",
    "flow_worker",
    "flows",
    "media",
    "notifications",
    "providers",
    "runs",
    "web",
    "zaps",
)

#: Modules that can open a connection, and who may use them for what.
CONNECTING = {
    "aiohttp": {"providers/http_async.py"},
    "asyncio.open_connection": {"providers/emulator/postman.py"},  # plays a vendor that calls back
    "boto3": {"runs/s3.py"},  # to the operator's own storage
    "botocore": {"runs/s3.py"},
    "ftplib": set(),
    "http.client": {"cli/client.py"},  # the word for an answer that breaks off
    "httpx": set(),
    "requests": {
        "flow_worker/backend.py",  # to the server that the person named
        "providers/doors.py",
        "providers/download.py",
        "providers/http.py",
    },
    "requests_hardened": {"providers/doors.py"},
    "s3transfer": set(),
    "smtplib": {"notifications/mailing.py"},  # the words for a mail server's refusals; Django connects
    "socket.create_connection": set(),
    "storages": {"runs/s3.py"},
    "telnetlib": set(),
    "urllib.request": {"cli/client.py", "config/healthy.py"},  # to the interface that the person named; to ourselves
    "urllib3": {"providers/download.py", "providers/http.py"},
    "xmlrpc": set(),
}
#: Where a call is made, beside the adapters.
CALLING = {
    "notifications/posting.py": "a receiver that a person named, through the guard",
    "providers/http.py": "the operator's own drain endpoint",
    "providers/reach.py": "a provider's own address, by a bare question",
    "providers/webhooks.py": "a vendor's public keys, by a bare question",
    "runs/judges/vlm.py": "the judge that the operator named",
}


@cache
def texts():
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))) for path in paths]


@cache
def named(tree):
    """Every module and every dotted name that a text uses."""
    return set(_named(tree))


def _named(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("module", CONNECTING)
def test_only_the_doors_can_open_a_connection(module):
    users = {path for path, tree in texts() if any(f"{name}.".startswith(f"{module}.") for name in named(tree))}

    assert users == CONNECTING[module]


def test_a_call_is_made_by_adapters_and_by_those_who_say_whose_address_it_is():
    makers = {
        path
        for path, tree in texts()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Call"
    }

    assert {path for path in makers if not path.startswith("providers/adapters/")} == set(CALLING)


def test_every_transport_asks_the_guard_in_the_one_place_where_it_answers():
    for path in ("providers/http.py", "providers/http_async.py"):
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        asked = [
            function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            and any(isinstance(node, ast.Attribute) and node.attr == "admit" for node in ast.walk(function))
        ]
        assert asked == ["_answer"]


def conversations(kind):
    """Every generator function of an adapter that a transport is given."""
    tree = ast.parse((ROOT / f"{kind.__module__.replace('.', '/')}.py").read_text("utf-8"))
    made = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return {
        function.name
        for function in made.body
        if isinstance(function, ast.FunctionDef)
        and not function.name.startswith("_")
        and any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
    }


@pytest.mark.parametrize("name", sorted(PROVIDERS.entries))
def test_every_conversation_of_an_adapter_is_marked_with_its_home(name):
    kind = type(PROVIDERS.get(name))

    talks = conversations(kind)

    assert talks <= set(_TALKS)
    assert all(hasattr(vars(kind)[talk], "__wrapped__") for talk in talks)

"""Flows in another Django project: built, installed and used as docs/flows.md says, word by word."""

import json
import tomllib
import zipfile
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from flow_worker.backend import Backend, over_http
from flow_worker.worker import Options, Worker
from tests.docs.blocks import ROOT
from tests.e2e.shop import KEY, STORY, Database, Shop, build

ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["deptry"]["known_first_party"]
#: whatever of the wheel and of the checkout the shop has no use for
OURS = {*ROOMS, "bench", "clients", "tests"} - {"core", "flows"}
EVENT = {"id": "order/17", "type": "order.paid", "payload": {"items": 3}}
FLOW = """
name = "shipping"
version = 1
[[steps]]
name = "pack"
runner = "python"
script = "pack.py"
[steps.trigger]
type = "order.paid"
"""
PACK = """import json, sys
print("FLOW_RESULT", json.dumps({"status": "completed", **json.load(sys.stdin)["flow"]["event"]["payload"]}))
"""


#: what is done in the shop's own Python; the last line that it prints is JSON
LISTEN = "import json, logging, sys\nlogging.basicConfig(stream=sys.stdout)\n"
ASK = """
from flows.models import FlowRun
(run,) = FlowRun.objects.all()
print(json.dumps({"result": run.result, "told": run.is_told,
                  "modules": {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}}))
"""
IMPORT_ALL = """
import importlib, json, pkgutil, flows
names = [one.name for one in pkgutil.walk_packages(flows.__path__, "flows.")]
print(json.dumps([importlib.import_module(name).__name__ for name in names if name != "flows.tasks"]))
"""
VISIT = """
import json
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
client = Client(headers={"host": "localhost"})
client.force_login(get_user_model().objects.create_superuser("op"))
names = sorted(one._meta.model_name for one in admin.site._registry if one._meta.app_label == "flows")
pages = {name: client.get(reverse(f"admin:flows_{name}_changelist")).status_code for name in names}
print(json.dumps({"pages": pages, "script": finders.find("flows/output.js")}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def shop(wheel, tmp_path_factory):
    shop = Shop(tmp_path_factory.mktemp("other"), wheel)
    with Database() as database:
        shop.follow_the_page(database)
        yield shop


@pytest.fixture
def empty(shop):
    """The shop, and nothing has happened there."""
    shop.python("manage.py", "flush", "--no-input")
    return shop


class Api:
    """The shop's server, from outside."""

    def __init__(self, process):
        self._process = process
        self.address = f"http://127.0.0.1:{int(process.stdout.readline())}"

    def __call__(self, method, path, body=None, *, key=KEY):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.address + path, data, headers, method=method), timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def ends(self):
        """End it; what it has logged."""
        self._process.terminate()
        return self._process.communicate()[1]


@pytest.fixture(params=["shop.settings", "shop.bare"])
def api(empty, request):
    with empty.serve(request.param) as process:
        yield Api(process)
        process.kill()


only_bare = pytest.mark.parametrize("api", ["shop.bare"], indirect=True)


def files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def shell(shop, code):
    """What the lines of code print in the shop's own Python."""
    return shop.python("manage.py", "shell", "-c", code).splitlines()


def foreign_of(modules, site):
    """Which of the modules are Zaps' own, or come from elsewhere than the place where it was installed."""
    wrong = {name for name in modules if name.partition(".")[0] in OURS}
    return wrong | {
        name
        for name, file in modules.items()
        if name.partition(".")[0] in {"flows", "core"} and file and not file.startswith(str(site))
    }


def test_the_wheel_holds_every_file_of_its_packages_and_nothing_beside_them(wheel):
    there = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "manual" not in path.parts
    }

    found = files(wheel)

    assert there - found == set()
    assert {name.partition("/")[0] for name in found} == {*ROOMS, "zaps-0.1.0.dist-info"}
    assert {"flows/migrations/0001_initial.py", "flows/py.typed", "cli/manual/flows.md"} <= found


def test_over_http_an_event_is_dispatched_claimed_and_completed(api, shop):
    step = {"name": "pack", "runner": "python", "script": "pack.py", "trigger": {"type": "order.paid"}}
    api("PUT", "/flows/manifests/shipping", {"name": "shipping", "version": 1, "steps": [step]})
    done = api("POST", "/flows/events", EVENT)
    claim = api("POST", "/flows/claims", {"workerId": "w", "leaseMs": 60_000})
    attempt, held = f"/flows/attempts/{claim['attemptId']}", {"leaseToken": claim["leaseToken"]}
    beat = api("POST", f"{attempt}/heartbeat", held)
    api("POST", f"{attempt}/output", {**held, "output": [{"seq": 1, "kind": "stdout", "text": "packed\n"}]})
    result = {"status": "completed", "parcel": claim["event"]["payload"]["items"]}
    reported = api("POST", f"{attempt}/complete", {**held, "result": result})

    assert (done["status"], done["matched"], beat["status"]) == ("accepted", 1, "running")
    assert reported == {"status": "completed", "runId": done["runIds"][0]}
    run = api("GET", f"/flows/runs/{reported['runId']}")["run"]
    assert (run["status"], run["result"], run["output"][0]["text"]) == ("completed", result, "packed\n")
    assert [one["eventId"] for one in api("GET", "/flows/events/order%2F17")["runs"]] == ["order/17"]
    assert foreign_of(api("GET", "/modules"), shop.site) == set()
    assert "order/17: pack completed" in api.ends()


@only_bare
def test_whoever_has_not_the_shop_s_key_is_refused_by_its_own_policy(api):
    for method, path in (("GET", "/flows/runs"), ("POST", "/flows/events"), ("POST", "/flows/claims")):
        with pytest.raises(HTTPError) as refused:
            api(method, path, {} if method == "POST" else None, key="another")

        assert (refused.value.code, json.loads(refused.value.read())["code"]) == (401, "KEY_MISSING")


@only_bare
def test_our_worker_carries_out_its_steps(api, tmp_path):
    folder = tmp_path / "shipping"
    folder.mkdir()
    (folder / "flow.toml").write_text(FLOW)
    (folder / "pack.py").write_text(PACK)
    worker = Worker(Backend(over_http(f"{api.address}/flows", KEY)), Options(roots=[tmp_path], once=True))
    worker.run()
    api("POST", "/flows/events", EVENT)

    worker.run()

    (run,) = api("GET", "/flows/runs")["runs"]
    assert (run["status"], run["result"]) == ("completed", {"status": "completed", "items": 3})


def test_from_python_the_page_s_own_lines_do_the_same_and_the_hook_hears_of_the_end(empty):
    *said, told = shell(empty, LISTEN + STORY.text + ASK)

    found = json.loads(told)
    assert (found["result"], found["told"]) == ({"status": "completed", "parcel": 3}, True)
    assert [line for line in said if "order-17" in line] == ["WARNING:orders.apps:order-17: pack completed"]
    assert foreign_of(found["modules"], empty.site) == set()


def test_what_the_page_lets_install_is_enough_for_every_module_but_celery_s(shop):
    *_, told = shell(shop, IMPORT_ALL)

    assert {"flows.api.stream", "flows.admin.runs", "flows.sweep"} <= set(json.loads(told))


def test_its_staff_see_flows_in_its_admin(empty):
    *_, told = shell(empty, VISIT)

    seen = json.loads(told)
    assert set(seen["pages"].values()) == {200}
    assert {"flowmanifest", "flowevent", "flowrun", "flowsweeplog"} <= set(seen["pages"])
    assert seen["script"] == str(empty.site / "flows" / "static" / "flows" / "output.js")

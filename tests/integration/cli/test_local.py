import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.contrib.auth import get_user_model

from accounts.models import ApiToken
from accounts.tokens import find_token
from cli.__main__ import main
from cli.follow import with_paths
from cli.inprocess import InProcessClient, enter
from runs.models import CronLog, Run
from tests.integration.admin.rows import make_run
from zaps.catalogue import load_bundled

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recipes():
    load_bundled()


def ended(*words):
    return main(list(words))


def told(capsys):
    """The one JSON document on stdout."""
    return json.loads(capsys.readouterr().out)


def start(capsys, *words):
    assert ended("run", "hello-film", "--input", "CREATURE=a fox", "--no-wait", "--json", *words) == 0
    return told(capsys)


def test_the_caller_is_a_staff_user_whom_nobody_can_log_in_as():
    enter()
    enter()

    local = get_user_model().objects.get(username="local")
    assert local.is_staff
    assert not local.has_usable_password()


def test_a_run_that_nobody_waits_for_is_queued_and_told_whole(capsys):
    document = start(capsys)

    assert document["run"]["status"] == "queued"
    assert [step["stepId"] for step in document["steps"]] == ["portrait", "arrival", "splash", "tune", "film"]
    assert Run.objects.get().owner.username == "local"


def test_a_recipe_in_a_folder_is_run_with_its_prompts(tmp_path, capsys):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_text("A lighthouse.")
    (tmp_path / "Zap.md").write_text(
        "---\nzap: a-film\nversion: 2\ndescription: x\nbudget: {estimate_usd: 0, cap_usd: 1}\n"
        "steps:\n  - {id: still, kind: image.gen, provider: mock, prompt: prompts/a.md}\n---\n"
    )

    assert ended("run", str(tmp_path), "--no-wait") == 0

    run = Run.objects.get()
    assert run.prompts == {"prompts/a.md": "A lighthouse."}
    assert capsys.readouterr().out == f"{run.run_id}\n"


def test_what_is_wrong_with_the_recipe_is_told_and_leaves_no_row(tmp_path, capsys):
    (tmp_path / "Zap.md").write_text("---\nzap: a-film\nversion: 9\n---\n")

    assert ended("run", str(tmp_path), "--no-wait") == 2

    assert f"{tmp_path / 'Zap.md'}:3:10: " in capsys.readouterr().err
    assert not Run.objects.exists()


def test_a_missing_input_is_told_and_leaves_no_row(capsys):
    assert ended("run", "hello-film", "--no-wait", "--input", "CREATUR=a fox", "--json") == 2

    assert told(capsys)["errors"][0]["path"].startswith("inputs")
    assert not Run.objects.exists()


def test_a_slug_that_there_is_not_is_bad_input(capsys):
    assert ended("run", "no-such-film", "--json") == 2

    assert told(capsys)["code"] == "NOT_FOUND"


def test_a_live_run_that_nobody_agrees_to_is_refused_with_its_quote(capsys):
    assert ended("run", "hello-film", "--input", "CREATURE=a fox", "--mode", "live", "--no-wait") == 4

    said = capsys.readouterr().err
    assert "hello-film: 5 steps, $1.138333 at most, cap $2.00." in said
    assert "LIVE_NEEDS_CONSENT" in said
    assert not Run.objects.exists()


@pytest.mark.parametrize(("answer", "code", "runs"), [("y\n", 0, 1), ("n\n", 4, 0), ("", 4, 0)])
def test_at_a_terminal_a_live_run_asks(answer, code, runs, capsys, monkeypatch, settings):
    settings.ZAP_PROVIDER = "mock"
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())

    assert ended("run", "hello-film", "--input", "CREATURE=a fox", "--mode", "live", "--no-wait") == code

    assert Run.objects.count() == runs


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_live_run_above_what_it_may_cost_is_refused(capsys):
    words = ("run", "hello-film", "--input", "CREATURE=a fox", "--mode", "live", "--max-usd", "0.10", "--json")

    assert ended(*words) == 4

    assert told(capsys)["code"] == "BUDGET_EXCEEDED"
    assert not Run.objects.exists()


def test_a_run_is_shown_with_the_files_of_its_assets(capsys, tmp_path, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    run = make_run(status="done")

    assert ended("status", run.run_id, "--json") == 0

    paths = [asset["path"] for asset in told(capsys)["assets"]]
    assert len(paths) == 5
    assert all(path.startswith(str(tmp_path)) for path in paths)


def test_an_asset_in_storage_elsewhere_has_no_path():
    client = InProcessClient(get_user_model()(username="local"))
    snapshot = {"assets": [{"storageKey": "runs/none/at/all"}]}

    assert with_paths(snapshot, client) == {"assets": [{"storageKey": "runs/none/at/all"}]}


def test_a_flow_worker_waits_for_work_without_a_server_too():
    client = enter()

    assert client.call("POST", "/api/flows/claims", {"workerId": "w", "count": 1, "waitMs": 10}) == {"claims": []}


def test_the_newest_runs_are_listed(capsys):
    older, newer = make_run(slug="older"), make_run(slug="newer")

    assert ended("status") == 0

    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[1:]} == {older.run_id, newer.run_id}


def test_a_run_that_has_ended_is_handed_over_at_once(capsys):
    done, failed, waiting = (
        make_run(status="done"),
        make_run(status="failed"),
        make_run(status="waiting", wait_reason="approval"),
    )

    assert [ended("watch", run.run_id) for run in (done, failed, waiting)] == [0, 1, 3]

    assert capsys.readouterr().out.splitlines()[1:] == [failed.run_id, waiting.run_id]


@pytest.mark.parametrize("verb", ["status", "watch", "cancel", "approve", "reject", "retry", "resume", "fork"])
def test_a_run_that_there_is_not_is_bad_input(verb, capsys):
    assert ended(verb, "run_0/../x", "--json") == 2

    assert told(capsys)["code"] == "NOT_FOUND"


def test_a_token_is_printed_once_and_opens_doors(capsys):
    from django.utils import timezone

    assert ended("token", "create", "laptop", "--scope", "read", "--json") == 0

    document = told(capsys)
    token = find_token(document["token"], at=timezone.now())
    assert (token.name, token.scopes, token.owner.username) == ("laptop", ["read"], "local")


@pytest.mark.parametrize("words", [["--user", "nobody"], ["--scope", "everything"]])
def test_a_token_for_nobody_or_nothing_is_refused(words, capsys):
    assert ended("token", "create", "laptop", *words) == 2

    assert not ApiToken.objects.exists()


def test_a_verb_for_this_machine_does_not_act_when_another_is_meant(monkeypatch, capsys):
    monkeypatch.setenv("ZAP_API_URL", "http://127.0.0.1:9")

    assert ended("token", "create", "laptop", "--user", "local", "--json") == 2

    assert told(capsys)["code"] == "LOCAL_ONLY"
    assert not ApiToken.objects.exists()


def test_info_names_the_parts_and_no_secret(capsys, settings):
    settings.ZAP_POLL_DRAIN_SECRET = "do-not-show-this"

    assert ended("info", "--json") == 0

    document = capsys.readouterr().out
    assert {"versions", "database", "broker", "storage", "providers", "beat"} <= set(json.loads(document))
    assert "do-not-show-this" not in document


@pytest.mark.django_db(transaction=True)
def test_a_cycle_of_the_drain_is_told_and_logged(capsys):
    assert ended("drain", "--window", "0", "--json") == 0

    document = told(capsys)
    assert (document["status"], document["processedCount"], document["errorCount"]) == ("success", 0, 0)
    assert CronLog.objects.get().job_name == "cli"


@pytest.fixture
def endpoint():
    """An address that drains for whoever knows the secret."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            right = self.headers["x-zap-cron-secret"] == "right"
            body = b'{"processedCount": 7, "errorCount": 0}' if right else b'{"code": "DRAIN_SECRET_REFUSED"}'
            self.send_response(200 if right else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/drain"
        server.shutdown()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("secret", "code", "status", "processed"), [("right", 0, "success", 7), ("wrong", 1, "failed", 0)]
)
def test_where_an_endpoint_drains_it_is_asked_and_logged(secret, code, status, processed, endpoint, settings):
    settings.ZAP_POLL_DRAIN_URL, settings.ZAP_POLL_DRAIN_SECRET = endpoint, secret

    assert ended("drain") == code

    log = CronLog.objects.get()
    assert (log.job_name, log.status, log.processed_count) == ("drain-endpoint", status, processed)

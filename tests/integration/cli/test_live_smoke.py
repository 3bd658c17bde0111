"""`zap live-smoke` against the emulator: the same way as to a vendor, save for the address."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from cli import workers
from cli.__main__ import main
from cli.inprocess import InProcessClient
from providers.emulator import Emulator
from providers.transcript.page import Transcript
from runs.models import Attempt, Run

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = {
    "prodia": ("PRODIA_TOKEN", "pk-live-4f9a-Zx81-7Q"),
    "replicate": ("REPLICATE_API_TOKEN", "r8_9f3Kd0aQ77xw2"),
}


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def vendors(emulator, monkeypatch):
    """The desks of two vendors; this process has keys for them, and nobody else is at work."""
    monkeypatch.setenv("ZAP_ALLOW_LOOPBACK", "1")
    for name, (variable, key) in KEYS.items():
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", emulator.urls[name])
        monkeypatch.setenv(variable, key)
    monkeypatch.setattr("cli.workers.are_at_work", lambda: False)
    return emulator.desks


@pytest.fixture
def smoke(vendors, tmp_path, capsys):
    """Runs the verb with --json. Returns the exit code, what it printed, and its transcript if there is one."""
    path = tmp_path / "transcript.json"

    def smoke(*words, yes=True, max_usd="0.01"):
        words = [*words, "--max-usd", max_usd, "--out", str(path), "--json", *(["--yes"] if yes else [])]
        code = main(["live-smoke", *words])
        return code, json.loads(capsys.readouterr().out), Transcript.read(path) if path.exists() else None

    return smoke


def bought(desk):
    return len(desk.journal.accepted())


def test_the_cheapest_job_is_bought_once_and_written_down(smoke, vendors):
    code, said, transcript = smoke("prodia")

    assert (code, said["status"], said["model"]) == (0, "done", "inference.upscale.v1")
    assert bought(vendors["prodia"]) == 1
    assert (said["quotedUsd"], said["costUsd"], said["costSource"]) == (0.002, 0.0025, "reported")
    assert said["calls"] == len(transcript.calls)
    assert [call["paid"] for call in transcript.calls].count(True) == 1
    assert (transcript.recorded_from, transcript.outcome, transcript.cost_usd) == ("emulator", "done", "0.0025")
    assert KEYS["prodia"][1] not in transcript.text()


def test_what_answers_as_the_emulator_does_is_no_news(smoke):
    assert smoke("replicate")[1]["news"] == []


def test_what_nobody_expected_is_told(smoke, vendors):
    vendors["replicate"].plan.add({"on": "submit", "do": "object"})

    code, said, _ = smoke("replicate", "--kind", "image.gen")

    assert code == 0
    assert any("output" in one and "was not expected" in one for one in said["news"])


def test_it_is_a_live_run_with_its_own_budget(smoke):
    smoke("prodia", max_usd="0.0100")

    run = Run.objects.get()
    assert (run.provider_mode, float(run.cap_usd), float(run.cost_usd)) == ("live", 0.01, 0.0025)


def test_kind_and_model_choose_otherwise(smoke):
    code, said, transcript = smoke("prodia", "--kind", "image.gen")

    assert (code, said["model"]) == (0, "inference.flux-fast.schnell.txt2img.v2")
    assert transcript.asked["prompt"] == "A red kite over the sea"


def test_a_price_above_the_cap_is_refused_and_nothing_is_spent(smoke, vendors):
    code, said, transcript = smoke("prodia", max_usd="0.001")

    assert (code, said["code"]) == (4, "BUDGET_EXCEEDED")
    assert (bought(vendors["prodia"]), Run.objects.count(), transcript) == (0, 0, None)


def test_without_a_key_nothing_is_asked(smoke, vendors, monkeypatch):
    monkeypatch.delenv("PRODIA_TOKEN")

    code, said, _ = smoke("prodia", yes=False)

    assert (code, said["code"]) == (4, "KEY_MISSING")
    assert vendors["prodia"].journal.calls == {}


def test_without_a_terminal_it_needs_a_yes(smoke, vendors):
    code, said, _ = smoke("prodia", yes=False)

    assert (code, said["code"]) == (4, "LIVE_NEEDS_CONSENT")
    assert (bought(vendors["prodia"]), Run.objects.count()) == (0, 0)


def test_the_cap_must_be_given(capsys):
    assert main(["live-smoke", "prodia", "--yes"]) == 2
    assert "--max-usd" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["engine", "drain"])
def test_workers_of_this_machine_are_seen(name, settings, tmp_path):
    settings.ZAPS_DATA_DIR = tmp_path
    assert not workers.are_at_work()
    code = (
        "import sys, pathlib; from embedded import presence; presence.announce(pathlib.Path(sys.argv[1]), sys.argv[2]);"
        "print('here', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path), name]

    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout.readline()
        assert workers.are_at_work()
        worker.stdin.close()

    assert not workers.are_at_work()


def test_workers_would_make_the_job_unheard(smoke, vendors, monkeypatch):
    monkeypatch.setattr("cli.workers.are_at_work", lambda: True)

    code, said, _ = smoke("prodia")

    assert (code, said["code"]) == (4, "WORKERS_AT_WORK")
    assert bought(vendors["prodia"]) == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nobody"], "PROVIDER_UNKNOWN"),
        (["mock"], "PROVIDER_WITHOUT_ADDRESS"),
        (["prodia", "--kind", "audio.tts"], "NOTHING_TO_BUY"),
        (["prodia", "--model", "no-such-model"], "NOTHING_TO_BUY"),
    ],
)
def test_what_cannot_be_bought_is_bad_input(smoke, words, code):
    ended, said, _ = smoke(*words)

    assert (ended, said["code"]) == (2, code)


def test_a_transcript_is_never_overwritten(smoke, vendors):
    smoke("prodia")

    code, said, _ = smoke("prodia")

    assert (code, said["code"]) == (2, "FILE_EXISTS")
    assert bought(vendors["prodia"]) == 1


def test_a_lost_answer_is_not_asked_for_again_and_is_written_down(smoke, vendors):
    vendors["prodia"].plan.add({"on": "submit", "do": "drop_after"})

    code, said, transcript = smoke("prodia")

    assert (code, said["status"], said["outcome"]) == (3, "waiting", "SUBMISSION_UNKNOWN")
    assert bought(vendors["prodia"]) == 1
    assert transcript.calls[-1]["no_answer"] == "SUBMISSION_UNKNOWN"
    assert not transcript.is_live


def test_a_refusal_is_written_down(smoke, vendors):
    vendors["prodia"].plan.add({"on": "submit", "do": "reject"})

    code, said, transcript = smoke("prodia", "--kind", "image.gen")

    assert (code, said["outcome"], said["costUsd"]) == (1, "PROVIDER_REJECTED", None)
    assert transcript.calls[-1]["answer"]["status"] == 400
    assert "lighthouse" not in transcript.text()


def test_ctrl_c_leaves_the_run_to_others_and_keeps_what_was_heard(smoke, vendors, monkeypatch):
    real, looks = InProcessClient.call, []

    def call(self, method, path, *args, **kwargs):
        if method == "GET" and "/api/runs/" in path:
            looks.append(path)
            if len(looks) == 4:
                raise KeyboardInterrupt
        return real(self, method, path, *args, **kwargs)

    vendors["replicate"].pace.queue_s = 60
    monkeypatch.setattr(InProcessClient, "call", call)

    code, said, transcript = smoke("replicate")

    assert (code, said["status"]) == (1, "running")
    assert transcript.outcome == "provider_queue"
    assert [call["paid"] for call in transcript.calls].count(True) == 1


def test_the_intent_is_committed_before_the_paid_call(smoke, vendors):
    seen = []
    sheet = vendors["prodia"].sheet
    answer = sheet.answer

    def look(on, request, rule):
        if on == "submit":
            with ThreadPoolExecutor() as another:
                seen.append(another.submit(committed_statuses).result())
        return answer(on, request, rule)

    sheet.answer = look

    assert smoke("prodia")[0] == 0

    assert seen == [["submitting"]]


def committed_statuses():
    """As a connection of its own sees them."""
    try:
        return list(Attempt.objects.values_list("status", flat=True))
    finally:
        connection.close()

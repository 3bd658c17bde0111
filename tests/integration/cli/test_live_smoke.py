"""`zap live-smoke` against the emulator: the same path as to a vendor, save for the address."""

import json

import pytest

from cli.__main__ import main
from providers.emulator import Emulator
from providers.transcript.page import Transcript
from runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "pk-live-4f9a:Zx81-secret-7Q"


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def prodia(emulator, monkeypatch):
    """Its desk; this process has a key for it, and nobody else is at work."""
    for name, value in {
        "PRODIA_BASE_URL": emulator.urls["prodia"],
        "PRODIA_TOKEN": KEY,
        "ZAP_ALLOW_LOOPBACK": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("cli.workers.are_at_work", lambda: False)
    return emulator.desks["prodia"]


def smoke(*words):
    return main(["live-smoke", *words])


def test_the_cheapest_job_is_bought_once_and_written_down(prodia, tmp_path, capsys):
    path = tmp_path / "t.json"

    assert smoke("prodia", "--max-usd", "0.01", "--yes", "--out", str(path), "--json") == 0

    said = json.loads(capsys.readouterr().out)
    transcript = Transcript.read(path)
    assert len(prodia.journal.accepted()) == 1
    assert (said["status"], said["calls"], said["costUsd"], said["costSource"]) == ("done", 1, 0.0025, "reported")
    assert said["news"] == []
    assert (transcript.recorded_from, transcript.outcome, transcript.cost_usd) == ("emulator", "done", "0.0025")
    assert KEY not in path.read_text()
    assert Run.objects.get().provider_mode == "live"

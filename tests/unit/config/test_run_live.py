"""The column says "never" until a vendor itself has answered."""

import json
from pathlib import Path

import pytest

from config import run_live
from config.local import BASE_DIR
from providers.registry import PROVIDERS
from providers.transcript.writing import digest_of

TRANSCRIPTS = BASE_DIR / "tests" / "contract" / "transcripts"
TABLE = "| name | run live |\n|---|---|\n| `fal` | x |\n| `mock` | x |\n\n| `fal` | of another table |\n"


@pytest.fixture
def recorded(tmp_path):
    """Puts fal's transcript into a folder, with some of its fields changed."""

    def record(name="fal.json", **fields):
        document = json.loads((TRANSCRIPTS / "fal-video-gen.json").read_text())
        document |= {"recorded_from": "vendor", "adapter": digest_of(PROVIDERS.get("fal")), **fields}
        Path(tmp_path, name).write_text(json.dumps(document))
        return tmp_path

    return record


def fal_cell(folder):
    return run_live.page(TABLE, folder).splitlines()[2]


def test_the_page_is_as_the_transcripts_say():
    page = (BASE_DIR / "docs" / "providers.md").read_text()

    assert run_live.page(page) == page, "Run ./dev docs."


def test_no_other_line_is_touched(tmp_path):
    assert run_live.page(TABLE, tmp_path) == TABLE.replace("`fal` | x", "`fal` | never").replace(
        "mock` | x", "mock` | –"
    )


def test_the_newest_recording_of_a_vendor_is_named(recorded):
    recorded("a.json", recorded_on="2026-12-24")

    assert fal_cell(recorded("b.json", recorded_on="2026-12-01")) == "| `fal` | 2026-12-24 |"


def test_an_adapter_that_was_changed_since_is_told(recorded):
    folder = recorded(adapter="0123456789ab", recorded_on="2026-12-24")

    assert fal_cell(folder) == "| `fal` | 2026-12-24, with another version |"


@pytest.mark.parametrize("fields", [{"recorded_from": "emulator"}, {"recorded_from": "elsewhere"}, {"outcome": "X"}])
def test_what_the_emulator_answered_or_what_failed_is_no_live_run(recorded, fields):
    assert fal_cell(recorded(**fields)) == "| `fal` | never |"

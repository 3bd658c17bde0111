"""Who looks at the results of a run, by its mode and the settings."""

from decimal import Decimal

import pytest

from runs import judges


@pytest.fixture
def configured(settings):
    settings.ZAP_PROVIDER = ""
    settings.ZAP_JUDGE_URL = "https://judge.example.com/v1"
    settings.ZAP_JUDGE_MODEL = "eyes-1"
    settings.ZAP_JUDGE_KEY = "sk-secret"
    settings.ZAP_JUDGE_USD = Decimal("0.002")
    return settings


def names(mode, kind="png"):
    return [judge.name for judge in judges.judges_for(mode, kind)]


def test_a_live_run_is_measured_and_then_seen(configured):
    assert names("live") == ["heuristic", "eyes-1"]
    assert judges.quote_usd("live") == Decimal("0.002")


def test_a_model_that_sees_is_not_shown_sounds(configured):
    assert names("live", "mp4") == ["heuristic", "eyes-1"]
    assert names("live", "wav") == ["heuristic"]


@pytest.mark.parametrize("mode", ["mock", "plan"])
def test_nothing_but_a_live_run_pays_for_a_look(configured, mode):
    assert names(mode) == ["heuristic"]
    assert judges.quote_usd(mode) == 0


def test_the_forced_mock_costs_nothing_even_in_a_live_run(configured):
    configured.ZAP_PROVIDER = "mock"

    assert names("live") == ["heuristic"]


def test_without_an_address_results_are_only_measured(configured):
    configured.ZAP_JUDGE_URL = ""

    assert names("live") == ["heuristic"]


def test_the_key_is_not_shown(configured):
    assert "sk-secret" not in repr(judges.judges_for("live", "mp4"))


def test_a_third_party_adds_its_own_by_an_entry_point(tmp_path, monkeypatch):
    (tmp_path / "acme_judge.py").write_text(
        "class Acme:\n    name, quote_usd, kinds = 'acme', 0, {'png'}\n\n"
        "def make(mode):\n    return Acme() if mode == 'live' else None\n"
    )
    info = tmp_path / "acme_judge-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-judge\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[runs.judges]\nacme = acme_judge:make\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    judges._added.cache_clear()

    try:
        assert names("live") == ["heuristic", "acme"]
        assert names("live", "wav") == names("mock") == ["heuristic"]
    finally:
        judges._added.cache_clear()

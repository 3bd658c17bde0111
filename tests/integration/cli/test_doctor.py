import json
import subprocess
import sys
from datetime import date, timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from accounts.models import OperatorPrice, Secret
from accounts.tokens import create_token
from accounts.vault.cipher import Place, seal
from cli.__main__ import main
from cli.doctor import processes
from cli.doctor.findings import Level
from config import schedule
from embedded import presence
from runs.models import CronLog

pytestmark = pytest.mark.django_db

GMI = Place(owner_id=None, provider="gmi", name="gmi_api_key", request_ref="")
QUEUES = ("engine", "results", "media", "drain")


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.ZAPS_DATA_DIR = tmp_path
    return tmp_path


def examine(capsys, code=None):
    """Each check's worst finding."""
    ended = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (ended == 0)
    assert all(bool(one["remedy"]) == (one["level"] != "ok") for one in document["findings"])
    if code is not None:
        assert ended == code, document
    worst = sorted(document["findings"], key=lambda one: ["ok", "warn", "fail"].index(one["level"]))
    return {one["check"]: one for one in worst}


def bring_up(data):
    """Everybody is at work, and beat and the drain have just been."""
    for name in (*QUEUES, "beat"):
        presence.announce(data, name)
    schedule.add_missing()
    PeriodicTask.objects.filter(name="drain").update(last_run_at=timezone.now(), enabled=True)
    now = timezone.now()
    CronLog.objects.create(job_name="drain", status="success", start_time=now, end_time=now, lease_until=now)


def test_a_server_where_everything_works_is_well(data, capsys):
    bring_up(data)

    found = examine(capsys, 0)

    assert {
        "python",
        "database",
        "migrations",
        "clock",
        "broker",
        "workers",
        "drain",
        "beat",
        "storage",
        "disk",
    } <= set(found)


def test_a_queue_that_nobody_serves_is_named(data, capsys, broker):
    for name in ("engine", "results", "drain"):
        presence.announce(data, name)

    found = examine(capsys, 1)

    assert found["workers"]["level"] == "fail"
    assert "media" in found["workers"]["message"]
    assert "engine" not in found["workers"]["message"]


def test_a_drain_and_a_beat_that_stand_still_are_told(data, capsys):
    bring_up(data)
    long_ago = timezone.now() - timedelta(hours=1)
    CronLog.objects.update(start_time=long_ago, end_time=long_ago)
    PeriodicTask.objects.update(last_run_at=long_ago)

    found = examine(capsys, 1)

    assert (found["drain"]["level"], found["beat"]["level"]) == ("fail", "fail")


def test_a_drain_whose_cycles_fail_is_told(data, capsys):
    bring_up(data)
    CronLog.objects.update(status="failed", error="NO_LUCK: it did not work.")

    assert examine(capsys, 0)["drain"]["level"] == "warn"


def test_a_schedule_that_was_switched_off_is_told(data, capsys):
    bring_up(data)
    PeriodicTask.objects.filter(name="drain").update(enabled=False)

    assert examine(capsys, 0)["beat"]["level"] == "warn"


def test_a_database_without_its_tables_is_told(data, capsys, monkeypatch):
    bring_up(data)
    monkeypatch.setattr(processes.MigrationExecutor, "migration_plan", lambda *_: [("runs.0001", False)])

    found = examine(capsys, 1)

    assert "manage.py migrate" in found["migrations"]["remedy"]
    assert "schedule" in found["left out"]["message"]
    assert not {"clock", "drain", "beat", "vault", "prices"} & set(found)
    assert found["broker"]["level"] == "ok"


def test_a_database_that_does_not_answer_is_told_once_and_without_its_address(tmp_path):
    environment = {
        "PATH": "/usr/bin:/bin", "ZAPS_DATA_DIR": str(tmp_path), "SECRET_KEY": "x" * 50,
        "DATABASE_URL": "postgresql://zaps:hunter2@127.0.0.1:1/zaps", "REDIS_URL": "redis://:hunter3@127.0.0.1:1/0",
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json"], env=environment, capture_output=True, text=True, check=False
    )

    failed = {one["check"] for one in json.loads(done.stdout)["findings"] if one["level"] == "fail"}
    assert done.returncode == 1
    assert failed == {"database", "broker", "workers"}
    assert "hunter" not in done.stdout + done.stderr


def test_a_broker_that_is_down_is_told_without_its_address(data, capsys, settings):
    bring_up(data)
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"

    found = examine(capsys, 1)

    assert found["broker"]["level"] == "fail"
    assert "hunter2" not in json.dumps(found)


@pytest.mark.parametrize(("ahead_s", "level"), [(0.3, Level.OK), (-5, Level.WARN), (3600, Level.FAIL)])
def test_a_clock_that_is_wrong_is_told_by_how_much(ahead_s, level):
    assert processes.judge_skew(ahead_s).level is level


def test_a_storage_that_cannot_be_written_is_told(data, capsys, settings):
    bring_up(data)
    (data / "file").write_text("x")
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(data / "file" / "x")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}

    found = examine(capsys, 1)

    assert found["storage"]["level"] == "fail"
    assert "written" in found["storage"]["message"]


def test_nothing_is_left_in_a_storage_that_works(data, capsys, settings):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(data / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}

    assert examine(capsys)["storage"]["level"] == "ok"
    assert not [path for path in (data / "media").rglob("*") if path.is_file()]


def test_keys_that_can_no_longer_be_read_are_counted(data, capsys, settings):
    bring_up(data)
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]
    Secret.objects.create(provider="gmi", name="gmi_api_key", ciphertext=seal("x", GMI), last_four="1234")
    Secret.objects.create(provider="fal", name="fal_key", ciphertext="v1:gAAAAAB", last_four="1234")

    found = examine(capsys, 1)

    assert found["vault"]["message"] == "Of the stored keys, 1 cannot be read."


def test_a_vault_without_a_key_is_told(data, capsys, settings):
    bring_up(data)
    settings.ZAP_SECRET_KEYS = []

    assert examine(capsys)["vault"]["level"] == "warn"


def test_prices_that_are_too_old_are_told_with_their_provider(data, capsys):
    bring_up(data)
    old = date(2020, 1, 1)
    OperatorPrice.objects.create(
        provider="fal", model="fal-ai/flux/dev", unit="megapixel", usd="0.03", source="x", verified_at=old, set_by="x"
    )

    found = examine(capsys, 0)

    assert found["prices"]["level"] == "warn"
    assert "fal" in found["prices"]["message"]


def test_what_the_system_checks_find_is_told_with_its_hint(data, capsys, settings):
    bring_up(data)
    settings.ZAP_POLL_DRAIN_URL, settings.ZAP_POLL_DRAIN_SECRET = "https://zap.example.com/drain", ""

    found = examine(capsys, 1)

    assert found["settings"]["message"].startswith("config.E002")
    assert "ZAP_POLL_DRAIN_SECRET" in found["settings"]["remedy"]


def test_settings_that_cannot_be_read_are_the_only_finding_about_the_installation(tmp_path):
    environment = {"PATH": "/usr/bin:/bin", "ZAPS_DATA_DIR": str(tmp_path), "DEBUG": "perhaps"}

    done = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json"], env=environment, capture_output=True, text=True, check=False
    )

    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert [one["check"] for one in document["findings"]] == ["python", "packages", "ffmpeg", "settings"]
    assert "DEBUG" in document["findings"][-1]["message"]


@pytest.mark.django_db(transaction=True)
def test_a_server_elsewhere_is_asked_for_what_it_shows(live_server, monkeypatch, capsys):
    staff = get_user_model().objects.create_user("alice", password="x", is_staff=True)
    monkeypatch.setenv("ZAP_API_URL", live_server.url)
    monkeypatch.setenv("ZAP_TOKEN", create_token(staff, "laptop")[1])

    found = examine(capsys, 0)

    assert found["server"]["level"] == found["token"]["level"] == "ok"
    assert found["drain"]["level"] == "warn"
    assert "database" not in found


@pytest.mark.django_db(transaction=True)
def test_a_token_that_a_server_refuses_is_told(live_server, monkeypatch, capsys):
    monkeypatch.setenv("ZAP_API_URL", live_server.url)
    monkeypatch.setenv("ZAP_TOKEN", "zap_nobodys")

    found = examine(capsys, 1)

    assert found["token"]["level"] == "fail"
    assert "zap_nobodys" not in json.dumps(found)


def test_a_server_that_does_not_answer_is_told(monkeypatch, capsys):
    monkeypatch.setenv("ZAP_API_URL", "http://127.0.0.1:1")

    assert examine(capsys, 1)["server"]["message"].startswith("API_UNREACHABLE")

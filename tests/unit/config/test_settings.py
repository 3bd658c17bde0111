import os
import re
import subprocess
import sys
import tomllib

import pytest
from cryptography.fernet import Fernet

from config import reference, settings
from config.local import BASE_DIR, own_secret_key, own_vault_key

NOWHERE = {"DATABASE_URL": "postgresql:///none?host=/nonexistent", "REDIS_URL": "redis://127.0.0.1:1/0"}
KEY = "a-key-that-is-long-enough-to-be-accepted"


def read(*names, **environ):
    """What a fresh process makes of an environment: the values of `names`, or what it refused."""
    code = f"from config import settings as s; print({', '.join(f's.{name}' for name in names) or 1}, sep='|')"
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, **environ},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_a_server_without_a_secret_key_does_not_start():
    assert "SECRET_KEY is not set" in read(**NOWHERE)


def test_a_short_secret_key_does_not_start_and_is_not_shown():
    said = read(**NOWHERE, SECRET_KEY="short-word")

    assert "SECRET_KEY is too short" in said
    assert "short-word" not in said.split("ImproperlyConfigured")[-1]


def test_another_database_is_refused():
    said = read(SECRET_KEY=KEY, REDIS_URL=NOWHERE["REDIS_URL"], DATABASE_URL="sqlite:///x")

    assert "no other database is supported" in said


def test_several_mistakes_are_named_together():
    said = read(**NOWHERE, SECRET_KEY=KEY, DEBUG="yes", ZAP_DRAIN_WINDOW_S="0", ZAP_OPEN_MODES="live,plan")

    assert "DEBUG is 'yes'" in said
    assert "ZAP_DRAIN_WINDOW_S is '0'" in said
    assert "ZAP_OPEN_MODES names 'live'" in said


def test_a_server_is_closed_unless_it_is_told_otherwise():
    said = read("DEBUG", "ZAP_OPEN_MODES", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", **NOWHERE, SECRET_KEY=KEY)

    assert said == "False|[]|['localhost', '127.0.0.1', '[::1]']|False"


def test_development_is_open_to_plan_and_mock():
    assert read("ZAP_OPEN_MODES", **NOWHERE, SECRET_KEY=KEY, DEBUG="1") == "['plan', 'mock']"


def test_the_public_address_is_a_host_and_its_cookies_are_secure():
    said = read(
        "ALLOWED_HOSTS[-1]", "CSRF_TRUSTED_ORIGINS", "CSRF_COOKIE_SECURE",
        **NOWHERE, SECRET_KEY=KEY, ZAP_PUBLIC_URL="https://zap.example.com/",
    )  # fmt: skip

    assert said == "zap.example.com|['https://zap.example.com']|True"


def test_the_asgi_server_pools_connections_and_others_keep_one_a_thread():
    assert read("DATABASES['default']['CONN_MAX_AGE']", **NOWHERE, SECRET_KEY=KEY) == "60"
    pooled = read(
        "DATABASES['default']['CONN_MAX_AGE']", "DATABASES['default']['OPTIONS']['pool']['max_size']",
        **NOWHERE, SECRET_KEY=KEY, ZAP_DB_POOL="16",
    )  # fmt: skip
    assert pooled == "0|16"


def test_a_judge_needs_its_address_its_model_and_what_to_reserve():
    said = read(**NOWHERE, SECRET_KEY=KEY, ZAP_JUDGE_MODEL="eyes-1", ZAP_JUDGE_USD_PER_MTOK_IN="2.5")

    assert "ZAP_JUDGE_URL and ZAP_JUDGE_MODEL belong together" in said
    assert "ZAP_JUDGE_USD is not set" in said


def test_a_judge_s_prices_are_exact():
    said = read(
        "ZAP_JUDGE_URL", "ZAP_JUDGE_USD", "ZAP_JUDGE_USD_PER_MTOK_OUT",
        **NOWHERE, SECRET_KEY=KEY, ZAP_JUDGE_URL="https://judge.example.com/v1/", ZAP_JUDGE_MODEL="eyes-1",
        ZAP_JUDGE_USD="0.002", ZAP_JUDGE_USD_PER_MTOK_OUT="10",
    )  # fmt: skip

    assert said == "https://judge.example.com/v1|0.002|10"


def test_the_secret_key_of_a_data_folder_is_made_once_and_private(tmp_path):
    first = own_secret_key(tmp_path / "new")

    assert own_secret_key(tmp_path / "new") == first
    assert len(first) >= 50
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


def test_the_vault_s_key_of_a_data_folder_is_made_once_and_private(tmp_path):
    first = own_vault_key(tmp_path)

    assert own_vault_key(tmp_path) == first
    Fernet(first)
    assert first != own_secret_key(tmp_path)
    assert (tmp_path / "vault_key").stat().st_mode & 0o777 == 0o600


def test_a_server_makes_no_key_for_its_vault_and_lends_its_own_keys_to_staff():
    assert read("ZAP_SECRET_KEYS", "ZAP_OPERATOR_KEYS_FOR", **NOWHERE, SECRET_KEY=KEY) == "[]|staff"


def test_in_development_a_key_is_made_and_everybody_may_spend_the_operator_s(tmp_path):
    said = read("ZAP_SECRET_KEYS", "ZAP_OPERATOR_KEYS_FOR", **NOWHERE, DEBUG="1", ZAPS_DATA_DIR=str(tmp_path))

    assert said == f"['{own_vault_key(tmp_path)}']|everyone"


def test_the_page_of_settings_is_current():
    assert (BASE_DIR / "docs" / "settings.md").read_text() == reference.page(), "Run ./dev docs."


def test_every_variable_is_explained():
    assert [one.name for one in settings.ENV.declared if len(one.about) < 20] == []


def test_no_other_module_reads_our_variables():
    """One table can be complete only where one module reads."""
    # The providers' room knows no Django.
    allowed = {"config/asgi.py", "providers/download.py"}
    ours = {one.name for one in settings.ENV.declared}
    found = []
    for room in ("accounts", "automations", "bridge", "config", "core", "media", "providers", "runs", "zaps"):
        for path in (BASE_DIR / room).rglob("*.py"):
            name = str(path.relative_to(BASE_DIR))
            reads = re.findall(r"environ(?:\.get\(|\.setdefault\(|\[)\s*[\"']([A-Z_]+)", path.read_text())
            found += [(name, variable) for variable in reads if variable in ours and name not in allowed]

    assert found == []


@pytest.mark.parametrize("extra", [[], ["dev"]])
def test_the_lock_files_hold_every_dependency_with_a_hash(extra):
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *(project["optional-dependencies"][name] for name in ["embedded", *extra])]
    wanted = {re.split(r"[\[<>=]", line)[0].lower() for group in groups for line in group}
    text = (BASE_DIR / ("requirements-dev.lock" if extra else "requirements.lock")).read_text()

    locked = set(re.findall(r"^([a-z0-9-]+)==.*\n    --hash=sha256:", text, flags=re.MULTILINE))

    assert wanted - locked == set()


def test_the_tools_lock_file_holds_all_of_the_other():
    pins = [
        set(re.findall(r"^([a-z0-9-]+==\S+)", (BASE_DIR / name).read_text(), flags=re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]

    assert pins[0] <= pins[1]
    assert pins[0]

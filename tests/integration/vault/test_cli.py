import io
import json

import pytest

from accounts.models import Secret
from accounts.vault.access import Use
from accounts.vault.credentials import credential
from cli.__main__ import main
from cli.inprocess import local_user
from providers import registry
from providers.emulator import Emulator
from tests.integration.vault.acme import Acme
from tests.integration.vault.conftest import CANARY

pytestmark = pytest.mark.django_db


@pytest.fixture
def zap(capsys, monkeypatch):
    """zap("keys", "list") → its exit code and all that it said; CANARY is never among it."""

    def call(*words, stdin=None):
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(["keys", *words])
        said = capsys.readouterr()
        assert CANARY not in said.out + said.err
        return code, said.out, said.err

    return call


def kept(provider="fal", *, owner="local"):
    owner_id = local_user().pk if owner else None
    use = Use(why="test", used_for="test")
    source = None if owner else "operator"
    return credential(provider, owner_id=owner_id, use=use, source=source).key.reveal()


def test_a_key_is_read_from_a_pipe_and_kept(zap):
    code, out, err = zap("set", "fal", stdin=f"{CANARY}\n")

    assert (code, out) == (0, "")
    assert "is kept" in err
    assert kept() == CANARY


def test_a_key_is_asked_for_at_a_terminal_without_an_echo(zap, monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS.entries, "acme", Acme())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or ("" if "org" in prompt else CANARY))

    assert zap("set", "acme")[0] == 0

    assert asked == ["acme_key: ", "acme_org (or nothing): "]
    assert kept("acme") == f"{CANARY}\n"


def test_a_key_is_taken_from_the_provider_s_own_variable(zap, monkeypatch):
    assert zap("set", "fal", "--from-env")[0] == 2
    monkeypatch.setenv("FAL_KEY", CANARY)

    assert zap("set", "fal", "--from-env")[0] == 0
    assert kept() == CANARY


def test_the_operator_s_key_is_another(zap):
    zap("set", "fal", "--operator", stdin=CANARY)

    assert Secret.objects.get().owner is None
    assert kept(owner=None) == CANARY
    assert "fal_key" in zap("list", "--operator")[1]
    assert zap("list")[1] == ""
    assert zap("delete", "fal", "--operator")[0] == 0
    assert not Secret.objects.exists()


def test_a_list_shows_the_last_four_characters_and_whose_key_is_next(zap):
    zap("set", "fal", stdin=CANARY)

    code, out, err = zap("list")
    document = json.loads(zap("list", "--json")[1])

    head, line = out.splitlines()
    assert (code, head.split()) == (0, ["provider", "name", "value", "run", "set", "by"])
    assert line.split()[:4] == ["fal", "fal_key", f"…{CANARY[-4:]}", "—"]
    assert "fal: your key" in err
    assert [one["provider"] for one in document["secrets"]] == ["fal"]


def test_a_key_is_deleted(zap):
    zap("set", "fal", stdin=CANARY)

    assert zap("delete", "fal", "--json")[1] == '{\n  "deleted": "fal"\n}\n'
    assert zap("delete", "--run", "run_0123456789abcdef")[0] == 0
    assert not Secret.objects.exists()


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (["set", "nobody"], CANARY, 2),
        (["set", "mock"], CANARY, 2),
        (["set", "fal"], f"{CANARY}\nanother\n", 2),
        (["set", "fal"], "", 2),
        (["set", "fal"], "two words", 2),
        (["delete"], None, 2),
        (["delete", "nobody"], None, 2),
        (["delete", "--run", "run_1", "--operator"], None, 2),
        (["test", "nobody"], None, 2),
        ([], None, 2),
    ],
)
def test_what_is_wrong_is_bad_input(zap, words, stdin, code):
    assert zap(*words, stdin=stdin)[0] == code
    assert not Secret.objects.exists()


def test_keys_are_tried(zap, monkeypatch):
    monkeypatch.setenv("FAL_BASE_URL", "http://127.0.0.1:9")
    zap("set", "fal", stdin=CANARY)

    code, out, _ = zap("test")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert (code, rows["fal"]) == (0, ["creator", "cannot", "be", "told", "PROVIDER_UNAVAILABLE"])
    assert "mock" not in rows

    code, out, _ = zap("test", "fal", "--operator", "--json")
    assert code == 1
    assert json.loads(out)["results"][0]["code"] == "KEY_MISSING"


def test_a_key_works_is_refused_or_cannot_be_told_and_nothing_is_bought(zap, monkeypatch):
    with Emulator() as emulator:
        for name, url in emulator.urls.items():
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", url)
        zap("set", "fal", stdin=CANARY)
        zap("set", "gmi", stdin="invalid")
        zap("set", "prodia", stdin=CANARY)

        code, out, _ = zap("test")
        rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:]}

        assert (code, rows["fal"]) == (1, ["creator", "works"])
        assert rows["gmi"] == ["creator", "refused", "KEY_INVALID"]
        assert rows["prodia"] == ["creator", "cannot", "be", "told"]
        assert rows["comfyui"] == ["operator", "works"]
        assert all(not desk.journal.submissions for desk in emulator.desks.values())
        assert all(sum(emulator.desks[name].journal.calls.values()) == 1 for name in rows)


def test_a_machine_that_nobody_has_set_up_is_not_tried_unless_it_is_asked_for(zap, monkeypatch):
    monkeypatch.delenv("COMFYUI_BASE_URL", raising=False)

    assert "comfyui" not in zap("test")[1]
    code, out, _ = zap("test", "comfyui", "--json")
    result = json.loads(out)["results"][0]
    assert (code, result["ok"], result["code"]) == (0, None, "PROVIDER_NOT_SET_UP")
    assert "COMFYUI_BASE_URL" in result["message"]

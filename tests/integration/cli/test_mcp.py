"""`zap mcp` as an agent's program starts it: the protocol's own client, a real child, real stdin and stdout."""

import asyncio
import base64
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from accounts.tokens import create_token
from cli.__main__ import main
from media.mock import mock_media
from runs.models import Asset, Run, Upload
from tests.integration.gates import gated, make_attempt
from tests.integration.people import make_user
from tests.integration.recipes import DOOR
from zaps.catalogue import load_bundled

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]
FOX = {"slug": "hello-film", "inputs": {"CREATURE": "a fox"}}


@pytest.fixture
def agent(live_server, alice, monkeypatch):
    """Opens a server for an agent of Alice's; its live runs may spend her own key for fal."""
    load_bundled()
    monkeypatch.setenv("FAL_KEY", "of-the-operator")
    token = create_token(alice, "agent")[1]

    @asynccontextmanager
    async def opened(*words, token=token, address=live_server.url):
        env = {"ZAP_API_URL": address, "ZAP_TOKEN": token, "PYTHONPATH": str(ROOT)}
        child = StdioServerParameters(command=sys.executable, args=["-m", "cli", "mcp", *words], env=env, cwd=ROOT)
        async with Client(child) as client:
            yield client

    return opened


def talk(agent, conversation, *words, **options):
    """What the conversation with such a server comes to."""

    async def whole():
        async with agent(*words, **options) as client:
            return await conversation(client)

    return asyncio.run(whole())


def told(result):
    """The structure of a good answer, which is also its text."""
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


def refused(result):
    """The code of an answer that is a refusal with a way out."""
    assert result.is_error
    problem = json.loads(result.content[0].text)
    assert problem["detail"]
    assert problem["remediation"]
    return problem["code"]


def ask(agent, tool, arguments, *words, **options):
    return talk(agent, lambda client: client.call_tool(tool, arguments), *words, **options)


def photo(seed):
    return mock_media("png", seed=seed, label="x", width=128, height=96, duration_s=None)


def waiting(owner, **options):
    """A run that waits with two pictures."""
    run = gated(owner, **options)
    make_attempt(run, 1)
    make_attempt(run, 2)
    return run


def test_every_tool_says_what_it_is_for_and_which_ones_move_something(agent):
    tools = talk(agent, lambda client: client.list_tools()).tools

    assert all(tool.description and tool.name.startswith("zap_") for tool in tools)
    moving = {tool.name for tool in tools if not tool.annotations.read_only_hint}
    assert moving == {"zap_run", "zap_upload", "zap_approve", "zap_reject", "zap_cancel"}
    assert all(
        field.get("description") or name == "limit"
        for tool in tools
        for name, field in tool.input_schema["properties"].items()
    )


def test_recipes_are_listed_found_and_shown(agent):
    async def conversation(client):
        everything = told(await client.call_tool("zap_list", {"limit": 1}))
        rest = told(await client.call_tool("zap_list", {"cursor": everything["nextCursor"]}))
        found = told(await client.call_tool("zap_list", {"query": "creature sea"}))
        return everything, rest, found, told(await client.call_tool("zap_show", {"slug": "hello-film"}))

    first, rest, found, shown = talk(agent, conversation)

    assert [one["slug"] for one in first["zaps"] + rest["zaps"]] == ["hello-film", "lost-sock", "museum-of-mondays"]
    assert [one["slug"] for one in found["zaps"]] == ["hello-film"]
    assert "steps:" in shown["source"]
    assert "prompts/portrait.md" in shown["prompts"]


def test_a_text_is_checked_and_its_faults_are_told_with_their_lines(agent):
    bad = DOOR.replace("kind: stitch", "kind: stich")

    async def conversation(client):
        return [told(await client.call_tool("zap_validate", {"source": text})) for text in (DOOR, bad)]

    good, found = talk(agent, conversation)

    assert (good["ok"], found["ok"]) == (True, False)
    assert found["errors"][0]["line"] == 13


def test_a_plan_costs_nothing_and_says_what_may_be_spent(agent):
    plan = told(ask(agent, "zap_plan", FOX, "--allow-spend", "--max-usd", "5", "--max-usd-call", "2"))

    assert plan["quoteUsd"] == 1.138333
    assert plan["spending"] == {"allowed": True, "leftUsd": 5, "perCallUsd": 2}
    assert not Run.objects.exists()


def test_a_run_is_free_unless_it_is_asked_for_live(agent, alice):
    answer = told(ask(agent, "zap_run", {"source": DOOR, "inputs": {"NAME": "Ada"}}))

    run = Run.objects.get(run_id=answer["runId"])
    assert (run.provider_mode, run.owner) == ("mock", alice)


def test_a_live_run_is_refused_where_nobody_gave_leave_to_spend(agent):
    assert refused(ask(agent, "zap_run", {**FOX, "mode": "live"})) == "SPENDING_NOT_ALLOWED"
    assert not Run.objects.exists()


def test_the_limits_of_a_call_and_of_the_servers_life_hold_against_the_model(agent, settings):
    settings.ZAP_OPERATOR_KEYS_FOR = "everyone"
    live = {**FOX, "mode": "live"}

    async def conversation(client):
        assert refused(await client.call_tool("zap_run", {**live, "max_usd": 2.5})) == "SPEND_CALL_LIMIT"
        assert refused(await client.call_tool("zap_run", {**live, "max_usd": 0.5})) == "BUDGET_EXCEEDED"
        first = told(await client.call_tool("zap_run", {**live, "max_usd": 1.5}))
        assert refused(await client.call_tool("zap_run", {**live, "max_usd": 2})) == "SPEND_TOTAL_LIMIT"
        assert told(await client.call_tool("zap_status", {}))["spending"]["leftUsd"] == 1.5
        told(await client.call_tool("zap_cancel", {"run_id": first["runId"]}))
        second = told(await client.call_tool("zap_run", {**live, "max_usd": 2}))
        return first, second, told(await client.call_tool("zap_status", {}))["spending"]

    first, second, left = talk(agent, conversation, "--allow-spend", "--max-usd", "3", "--max-usd-call", "2")

    assert Run.objects.get(run_id=first["runId"]).cap_usd == 1.5
    assert Run.objects.get(run_id=second["runId"]).status != "canceled"
    assert Run.objects.count() == 2
    assert left["leftUsd"] == 1


def test_an_order_that_the_server_refuses_leaves_the_money_where_it_was(agent, settings):
    settings.ZAP_OPERATOR_KEYS_FOR = "staff"

    async def conversation(client):
        code = refused(await client.call_tool("zap_run", {**FOX, "mode": "live"}))
        return code, told(await client.call_tool("zap_status", {}))["spending"]

    code, left = talk(agent, conversation, "--allow-spend", "--max-usd", "3")

    assert code == "KEY_MISSING"
    assert left["leftUsd"] == 3


def test_watching_tells_progress_and_comes_back_when_the_run_stands_still(agent, alice):
    run = waiting(alice)
    heard = []

    async def hear(done, of, message):
        heard.append((done, of, message))

    snapshot = told(
        talk(agent, lambda client: client.call_tool("zap_watch", {"run_id": run.run_id}, progress_callback=hear))
    )

    assert snapshot["run"]["status"] == "waiting"
    assert snapshot["timedOut"] is False
    assert [one[1:] for one in heard] == [(2.0, "0 of 2 steps")]
    assert any("zap_approve" in line for line in snapshot["next"])


def test_watching_comes_back_after_its_time_and_the_run_goes_on(agent):
    async def conversation(client):
        run_id = told(await client.call_tool("zap_run", FOX))["runId"]
        return told(await client.call_tool("zap_watch", {"run_id": run_id, "timeout_s": 1}))

    snapshot = talk(agent, conversation)

    assert snapshot["timedOut"] is True
    assert snapshot["run"]["status"] in {"queued", "running"}


def test_approving_picks_what_the_person_chose(agent, alice):
    run = waiting(alice)
    asset = Asset.objects.filter(run=run).order_by("pk")[0]

    snapshot = told(ask(agent, "zap_approve", {"run_id": run.run_id, "asset_id": asset.asset_id, "comment": "Left."}))

    assert snapshot["steps"][0]["status"] == "done"
    assert Run.objects.get().status != "waiting"


def test_approving_a_live_run_needs_leave_to_spend(agent, alice):
    run = waiting(alice, mode="live")
    this = {"run_id": run.run_id, "asset_id": Asset.objects.order_by("pk")[0].asset_id}

    assert refused(ask(agent, "zap_approve", this)) == "SPENDING_NOT_ALLOWED"
    assert refused(ask(agent, "zap_approve", this, "--allow-spend", "--max-usd", "0.01")) == "SPEND_CALL_LIMIT"
    assert Run.objects.get().status == "waiting"
    assert told(ask(agent, "zap_approve", this, "--allow-spend", "--max-usd", "100"))


def test_rejecting_ends_the_run(agent, alice):
    run = waiting(alice)

    snapshot = told(ask(agent, "zap_reject", {"run_id": run.run_id, "comment": "Too dark."}))

    assert snapshot["run"]["status"] == "failed"
    assert snapshot["steps"][0]["why"].startswith("REJECTED")


def test_what_the_state_forbids_is_refused_with_a_way_out(agent, alice):
    run = waiting(alice)

    async def conversation(client):
        told(await client.call_tool("zap_cancel", {"run_id": run.run_id}))
        return refused(await client.call_tool("zap_approve", {"run_id": run.run_id}))

    assert talk(agent, conversation) == "RUN_STATE_FORBIDS"


def test_somebody_elses_run_does_not_exist_for_the_agent(agent):
    run = waiting(make_user("bob"))

    tools = ("zap_status", "zap_watch", "zap_assets", "zap_approve", "zap_reject", "zap_cancel")

    async def conversation(client):
        return {refused(await client.call_tool(tool, {"run_id": run.run_id})) for tool in tools}

    assert talk(agent, conversation) == {"NOT_FOUND"}
    assert Run.objects.get().status == "waiting"


def test_a_small_picture_is_shown_and_everything_has_a_whole_address(agent, alice, live_server, settings, tmp_path):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    run = waiting(alice)
    picture = b"\x89PNG small"
    small, large = Asset.objects.order_by("pk")
    (tmp_path / "x").mkdir()
    (tmp_path / small.storage_key).write_bytes(picture)
    Asset.objects.filter(pk=small.pk).update(size_bytes=len(picture))
    Asset.objects.filter(pk=large.pk).update(size_bytes=50_000_000)

    async def conversation(client):
        shown = await client.call_tool("zap_assets", {"run_id": run.run_id})
        return shown, await client.call_tool("zap_assets", {"run_id": run.run_id, "pictures": False})

    result, without = talk(agent, conversation)

    assert [one["url"] for one in json.loads(result.content[0].text)["assets"]] == [
        f"{live_server.url}/api/assets/{one.asset_id}/content" for one in (small, large)
    ]
    assert [(one.type, one.mime_type) for one in result.content[1:]] == [("image", "image/png")]
    assert base64.b64decode(result.content[1].data) == picture
    assert len(without.content) == 1


def test_arguments_that_cannot_be_meant_are_refused_by_their_names(agent):
    async def conversation(client):
        wrong = await client.call_tool("zap_list", {"limit": 1000, "query": "x"})
        return wrong, [
            refused(await client.call_tool(tool, arguments))
            for tool, arguments in (
                ("zap_watch", {}),
                ("zap_fly", {}),
                ("zap_run", {}),
                ("zap_run", {"slug": "hello-film", "source": DOOR}),
                ("zap_run", {"slug": "hello-film", "mode": "free"}),
            )
        ]

    wrong, codes = talk(agent, conversation)

    assert refused(wrong) == "INVALID_REQUEST"
    assert [one["path"] for one in json.loads(wrong.content[0].text)["errors"]] == ["limit"]
    assert codes == ["INVALID_REQUEST", "TOOL_UNKNOWN", "RECIPE_MISSING", "RECIPE_MISSING", "INVALID_REQUEST"]


def test_an_asset_that_there_is_not_is_refused(agent, alice):
    run = waiting(alice)

    assert refused(ask(agent, "zap_assets", {"run_id": run.run_id, "asset_id": "asset_none"})) == "ASSET_UNKNOWN"


def test_the_manual_can_be_read_without_any_server(agent):
    async def conversation(client):
        pages = told(await client.call_tool("zap_docs", {}))["pages"]
        hits = told(await client.call_tool("zap_docs", {"search": "candidates judge"}))["hits"]
        text = told(await client.call_tool("zap_docs", {"topic": hits[0]["place"]}))["text"]
        return pages, text, refused(await client.call_tool("zap_docs", {"topic": "nothing"}))

    pages, text, code = talk(agent, conversation, address="http://127.0.0.1:1")

    assert {"recipes", "agents"} <= {page["topic"] for page in pages}
    assert "candidates" in text
    assert code == "TOPIC_UNKNOWN"


def test_a_server_that_is_away_and_a_token_that_is_wrong_are_told_without_the_token(agent):
    away = ask(agent, "zap_list", {}, address="http://127.0.0.1:1")
    wrong = ask(agent, "zap_list", {}, token="zap_wrong-token")

    assert refused(away) == "API_UNREACHABLE"
    assert refused(wrong) == "CREDENTIALS_REFUSED"
    assert "wrong-token" not in str(wrong)


@pytest.mark.parametrize(
    "words",
    [
        ["--allow-spend"],
        ["--allow-spend", "--max-usd", "0"],
        ["--max-usd", "5"],
        ["--max-usd-call", "5"],
    ],
)
def test_leave_to_spend_is_given_with_a_limit_or_not_at_all(words, capsys):
    assert main(["mcp", *words]) == 2

    assert "USAGE" in capsys.readouterr().err


def test_a_picture_from_an_allowed_folder_becomes_an_input_of_a_run(agent, settings, tmp_path):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "fox.png").write_bytes(photo("fox"))
    (tmp_path / "private.png").write_bytes(photo("private"))

    async def conversation(client):
        outside = await client.call_tool("zap_upload", {"path": str(tmp_path / "private.png")})
        value = told(await client.call_tool("zap_upload", {"path": "fox.png"}))["value"]
        run = {"source": DOOR, "inputs": {"NAME": "Ada", "PHOTO": value}}
        return refused(outside), value, told(await client.call_tool("zap_run", run))

    code, value, accepted = talk(agent, conversation, "--folder", str(shared))

    assert code == "FILE_OUTSIDE"
    upload = Upload.objects.get()
    assert value == f"upload:{upload.upload_id}"
    assert Run.objects.get(run_id=accepted["runId"]).inputs["PHOTO"]
    stored = [path.read_bytes() for path in (tmp_path / "media").rglob("*") if path.is_file()]
    assert photo("fox") in stored
    assert photo("private") not in stored


def test_no_file_is_read_where_nobody_gave_leave(agent, tmp_path):
    (tmp_path / "fox.png").write_bytes(photo("fox"))

    assert refused(ask(agent, "zap_upload", {"path": str(tmp_path / "fox.png")})) == "FILES_NOT_ALLOWED"
    assert not Upload.objects.exists()

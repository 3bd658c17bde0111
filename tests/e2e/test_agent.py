"""An agent on a machine that has nothing yet has a film made from what `zap new` begins with."""

import asyncio
import base64
import os
import sys
from pathlib import Path

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from cli import starter
from media.probe import probe

ROOT = Path(__file__).resolve().parents[2]


def test_an_agent_makes_a_film_of_a_recipe_that_was_just_begun(tmp_path):
    heard = []
    files = dict(starter.named(starter.find(None), "paper-boat"))
    recipe = {"source": files.pop("Zap.md"), "prompts": files}

    async def hear(done, of, message):
        heard.append(done)

    async def conversation():
        # The client passes on little of our environment, and so none of its servers.
        env = {"ZAPS_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
        child = StdioServerParameters(command=sys.executable, args=["-m", "cli", "mcp"], env=env, cwd=ROOT)
        async with Client(child) as client:

            async def ask(tool, **arguments):
                result = await client.call_tool(tool, arguments, progress_callback=hear)
                assert not result.is_error, result.content[0].text
                return result

            assert (await ask("zap_validate", **recipe)).structured_content["ok"]
            assert (await ask("zap_plan", **recipe)).structured_content["quoteUsd"] > 0
            run_id = (await ask("zap_run", **recipe)).structured_content["runId"]
            snapshot = (await ask("zap_watch", run_id=run_id)).structured_content
            return snapshot, await ask("zap_assets", run_id=run_id)

    snapshot, shown = asyncio.run(conversation())

    assert snapshot["run"]["status"] == "done"
    assert heard == sorted(set(heard))
    assert heard[-1] == len(snapshot["steps"])
    paths = {asset["stepId"]: Path(asset["path"]) for asset in shown.structured_content["assets"]}
    assert probe(paths["film"]).kind == "mp4"
    assert base64.b64decode(shown.content[1].data) == paths["still"].read_bytes()

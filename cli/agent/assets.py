"""The tool that hands over what a run made."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from mcp.types import CallToolResult, ImageContent
from pydantic import Field

from cli import faults
from cli.agent.desk import Desk
from cli.agent.runs import RunId
from cli.agent.telling import answer, asset_of, tool
from cli.client import Client, HttpClient
from cli.follow import with_paths

SMALL_BYTES = 1_000_000  # of one picture
_AT_ONCE = 4
_SEEN = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})  # what models take


class AssetTools:
    """Bound to one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @tool
    def zap_assets(
        self,
        run_id: RunId,
        step_id: Annotated[str | None, Field(description="Only what this step made.")] = None,
        asset_id: Annotated[str | None, Field(description="Only this one.")] = None,
        pictures: Annotated[bool, Field(description="Show small pictures themselves, four at most.")] = True,
    ) -> CallToolResult:
        """Say where the media of a run is (a path on this machine, or an address), and show small pictures.

        Clips and sounds are told by their place only. An address may need the server's token.
        """
        client = self._desk.client
        snapshot = with_paths(self._desk.read_run(run_id), client)
        wanted = [
            asset
            for asset in snapshot["assets"]
            if asset["assetId"] == (asset_id or asset["assetId"]) and asset["stepId"] == (step_id or asset["stepId"])
        ]
        if not wanted and (asset_id or step_id):
            raise faults.bad_input("ASSET_UNKNOWN", "The run has made nothing of that name.", "zap_status lists it.")
        seen = [picture for asset in wanted if pictures and _is_small(asset) for picture in _picture(asset, client)]
        listed = [{**asset_of(asset), "url": _address(asset, client)} for asset in wanted]
        return answer({"runId": run_id, "assets": listed}, *seen[:_AT_ONCE])


def _is_small(asset: Mapping[str, Any]) -> bool:
    return asset["contentType"] in _SEEN and 0 < asset["sizeBytes"] <= SMALL_BYTES


def _address(asset: Mapping[str, Any], client: Client) -> str:
    """Whole, where the server is elsewhere and tells only a path."""
    url = str(asset["url"])
    return f"{client.base_url}{url}" if isinstance(client, HttpClient) and url.startswith("/") else url


def _picture(asset: Mapping[str, Any], client: Client) -> list[ImageContent]:
    """[] where its bytes cannot be had: the place is told all the same."""
    try:
        content = _bytes(asset, client)
    except (OSError, ValueError):  # urllib's errors are OSErrors
        return []
    if not content or len(content) > SMALL_BYTES:
        return []
    return [ImageContent(data=base64.b64encode(content).decode(), mime_type=asset["contentType"])]


def _bytes(asset: Mapping[str, Any], client: Client) -> bytes:
    if "path" in asset:
        with Path(asset["path"]).open("rb") as file:
            return file.read(SMALL_BYTES + 1)
    if isinstance(client, HttpClient):
        return client.content_of(asset["assetId"], at_most=SMALL_BYTES + 1)
    return b""

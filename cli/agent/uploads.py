"""The tool that sends a file of this machine, so that a run can be given it."""

from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from cli.agent.desk import Desk
from cli.agent.folders import Folders, unreadable
from cli.agent.telling import answer, tool


class UploadTools:
    """Bound to one desk."""

    def __init__(self, desk: Desk, folders: Folders) -> None:
        self._desk = desk
        self._folders = folders

    @tool
    def zap_upload(
        self,
        path: Annotated[str, Field(min_length=1, max_length=4096, description="A picture, clip or sound: its path.")],
    ) -> CallToolResult:
        """Send a file of this machine to the server, and get the value that names it in a run's inputs.

        Only files in folders that the person has allowed can be sent. What no run has used after a day is deleted.
        """
        found = self._folders.find(path)
        client = self._desk.client
        try:
            value = client.send(found)
        except OSError as exc:
            raise unreadable(exc) from None
        return answer({"value": value, "next": ["zap_run: give this value to an input that is media."]})

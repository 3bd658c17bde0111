"""The web server as it runs for people, on loopback, and a browser's EventSource as far as tests need one."""

import asyncio
import json
import socket
import threading

import aiohttp
import uvicorn
import uvloop
from django.db import connections
from django.utils import timezone

from runs import dispatch
from runs.api import watch
from runs.models import Run


class Server:
    """uvicorn in a thread of its own."""

    def __enter__(self):
        from config.asgi import application

        options = {
            "lifespan": "off",
            "log_config": None,
            "access_log": False,
            "log_level": "warning",
            "timeout_graceful_shutdown": 3,
        }
        self.uvicorn = uvicorn.Server(uvicorn.Config(application, **options))
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.socket.getsockname()[1]
        self.loop = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self.loop = runner.get_loop()
            runner.run(self.uvicorn.serve(sockets=[self.socket]))

    def __exit__(self, *failure):
        self.uvicorn.should_exit = True
        self.thread.join()

    @property
    def hub(self):
        """Who waits on its loop."""
        return watch._by_loop[self.loop]

    def open(self, session, path, headers, **more):
        """A stream to be awaited."""
        return session.get(f"http://127.0.0.1:{self.port}{path}", headers={**headers, **more})


class Reader:
    """What a stream says."""

    def __init__(self, answer):
        assert answer.status == 200, answer.status
        self.answer = answer
        self.last_id = None

    async def next(self, within_s=30):
        """The data of the next event; None when the stream has ended."""
        while True:
            fields = {}
            try:
                while line := (await asyncio.wait_for(self.answer.content.readline(), within_s)).decode():
                    if line == "\n":
                        break
                    name, _, value = line.rstrip("\n").partition(": ")
                    fields[name] = value
            except aiohttp.ClientPayloadError:
                return None
            if not fields:
                return None
            if "data" in fields:
                self.last_id = int(fields["id"])
                return json.loads(fields["data"])


def run(test):
    """An asynchronous test, with a client that opens as many connections as it likes."""

    async def whole():
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
            return await asyncio.wait_for(test(session), 120)

    return asyncio.run(whole())


async def off(work, *args, **kwargs):
    """Database work of the test, in a thread."""

    def call():
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


def change(run, **fields):
    """As a transition would: another revision, committed, and said."""
    revision = Run.objects.get(pk=run.pk).revision + 1
    Run.objects.filter(pk=run.pk).update(revision=revision, **fields)
    dispatch.changed_soon((run.pk, run.owner_id, revision))
    return revision


def finish(run):
    return change(run, status="done", stage="complete", finished_at=timezone.now(), due_at=None)


async def until(ready, within_s=30.0):
    """Wait for what happens in another thread."""
    async with asyncio.timeout(within_s):
        while not ready():
            await asyncio.sleep(0.01)

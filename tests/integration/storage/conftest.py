import os

import pytest

from config import storage
from config.env import Environment
from tests.bucket import Server
from tests.integration.runs_api.conftest import _no_bells, open_doors, post  # noqa: F401


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def objects(server, settings):
    """The media are kept in a fresh bucket; what lies in it, by key."""
    name, address = server.new_bucket()
    settings.STORAGES = {**settings.STORAGES, "default": read(address)}
    yield Objects(server.client, name)
    server.refusing = None


def read(address):
    environment = Environment({**os.environ, "ZAP_STORAGE_URL": address})
    found = storage.read(environment, default="file:///nowhere")
    environment.check()
    return found


class Objects:
    def __init__(self, client, name):
        self.client, self.name = client, name

    def keys(self):
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def __getitem__(self, key):
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def __setitem__(self, key, content):
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

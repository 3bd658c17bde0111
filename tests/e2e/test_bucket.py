"""A whole run whose media are in a bucket: web and worker share no disk, and its assets are read where they lie."""

import hashlib
import json
import urllib.request

import pytest
from django.core.management import call_command

from tests.bucket import Server
from tests.processes import get, post, wait_until


@pytest.fixture
def bucket():
    server = Server()
    yield server
    server.close()


def read(url):
    """The content of an address, wherever it leads; and where that was."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read(), answer.url


def test_a_mock_run_becomes_a_film_in_a_bucket(stack, bucket):
    name, address = bucket.new_bucket()
    stack.environment |= {"ZAP_STORAGE_URL": address, "ZAP_OPEN_MODES": "mock"}
    call_command("load_recipes", verbosity=0)
    stack.start("worker", "drain", "beat", "web")

    status, run = post(f"{stack.address}/api/zaps/run", {"slug": "hello-film", "mode": "mock"})
    assert status == 202

    def told():
        document = json.loads(get(f"{stack.address}/api/runs/{run['runId']}")[1])
        return document if document["run"]["status"] == "done" else None

    document = wait_until(told)
    held = {one["Key"] for one in bucket.client.list_objects_v2(Bucket=name)["Contents"]}
    assert len(held) == len(document["assets"]) >= 3
    for asset in document["assets"]:
        content, place = read(f"{stack.address}{asset['url']}")
        assert place.startswith(f"http://{bucket.host}/{name}/runs/")
        assert (len(content), hashlib.sha256(content).hexdigest()) == (asset["sizeBytes"], asset["sha256"])
    assert "X-Amz" not in stack.said()
    assert "se/cret" not in stack.said()

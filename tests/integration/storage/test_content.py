"""Assets that lie in a bucket: callers are led there."""

import re
import urllib.request
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from runs.models import Asset
from tests.integration.runs_api.test_asset_content import BYTES, ETAG, clip  # noqa: F401 (a fixture)


@pytest.fixture
def fetch(client, objects, clip, as_alice):  # noqa: F811
    def get(method="get", **headers):
        return getattr(client, method)(clip.url, headers={**as_alice, **headers})

    return get


def follow(answer, **headers):
    with urllib.request.urlopen(urllib.request.Request(answer["Location"], headers=headers)) as given:
        return given.status, given.headers, given.read()


def test_whoever_may_see_the_run_is_led_to_the_bucket(fetch, server):
    answer = fetch()

    assert (answer.status_code, answer.content) == (302, b"")
    assert answer["Location"].startswith(f"http://{server.host}/")
    status, headers, content = follow(answer)
    assert (status, content) == (200, BYTES)
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Disposition"] == 'inline; filename="asset_clip.mp4"'


def test_a_range_is_the_bucket_s_to_answer(fetch):
    status, headers, content = follow(fetch(Range="bytes=100-199"), Range="bytes=100-199")

    assert (status, content) == (206, BYTES[100:200])
    assert headers["Content-Range"] == "bytes 100-199/512000"


def test_the_way_is_not_kept_longer_than_it_leads_there(fetch):
    answer = fetch()

    kept_s = int(re.fullmatch(r"private, max-age=(\d+)", answer["Cache-Control"])[1])
    signed_s = int(re.search(r"X-Amz-Expires=(\d+)", answer["Location"])[1])
    assert 60 <= kept_s <= signed_s - 60 <= 1000
    assert "ETag" not in answer
    with time_machine.travel(timezone.now() + timedelta(seconds=signed_s + 5)):
        with pytest.raises(OSError, match="403"):
            follow(answer)
        assert follow(fetch())[0] == 200


def test_what_could_run_in_a_browser_is_saved_and_not_shown(fetch, clip):  # noqa: F811
    for content_type in ("image/svg+xml", "application/json", "text/html"):
        Asset.objects.filter(pk=clip.pk).update(content_type=content_type)
        assert follow(fetch())[1]["Content-Disposition"].startswith("attachment;")


def test_the_address_is_in_no_row_and_in_no_log(fetch, caplog):
    caplog.set_level("DEBUG", logger="runs")
    url = fetch()["Location"]

    assert "X-Amz" not in str(list(Asset.objects.values())) + caplog.text
    assert "X-Amz-Signature" in url


def test_a_stranger_is_led_nowhere(client, objects, clip, as_bob):  # noqa: F811
    assert client.get(clip.url, headers=as_bob).status_code == 404
    assert client.get(clip.url).status_code == 404


def test_what_the_caller_has_already_and_how_long_it_is_are_told_here(fetch, server):
    server.seen.clear()

    assert fetch(**{"If-None-Match": ETAG}).status_code == 304
    head = fetch("head")
    assert (head.status_code, head["Content-Length"], head["Content-Type"]) == (200, "512000", "video/mp4")
    assert server.seen == []

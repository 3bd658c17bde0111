import asyncio
import hashlib
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient

from runs.models import Asset, Attempt, Run, Step
from tests.factories import make_run, planned

BYTES = bytes(range(256)) * 2000  # 512,000: several reads
ETAG = f'"{hashlib.sha256(BYTES).hexdigest()}"'


@pytest.fixture
def clip(alice):
    run = make_run(planned("door"), owner=alice)
    step = Step.objects.get(run=run)
    attempt = Attempt.objects.create(
        run=run, step=step, number=1, idem_key="k", provider="mock", capability="video.gen", quote_usd=0
    )
    key = default_storage.save("runs/r/door/1/0-x", ContentFile(BYTES))
    return Asset.objects.create(
        asset_id="asset_clip",
        run=run,
        step=step,
        attempt=attempt,
        index=0,
        kind="mp4",
        content_type="video/mp4",
        storage_key=key,
        sha256=hashlib.sha256(BYTES).hexdigest(),
        size_bytes=len(BYTES),
    )


@pytest.fixture
def fetch(client, clip, as_alice):
    answers = []

    def get(method="get", **headers):
        answers.append(getattr(client, method)(clip.url, headers={**as_alice, **headers}))
        return answers[-1]

    yield get
    for answer in answers:
        answer.close()


def body(answer):
    return b"".join(answer.streaming_content)


@pytest.mark.django_db
def test_the_whole_asset(fetch):
    answer = fetch()

    assert (answer.status_code, body(answer)) == (200, BYTES)
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Length"] == "512000"
    assert answer["ETag"] == ETAG
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"].startswith("private")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=0-", 0, 511_999),
        ("bytes=511999-", 511_999, 511_999),
        ("bytes=-3", 511_997, 511_999),
        ("bytes=100-999999", 100, 511_999),
        ("bytes=-999999", 0, 511_999),
    ],
)
def test_a_part_of_it(fetch, wanted, first, last):
    answer = fetch(Range=wanted)

    assert (answer.status_code, answer["Content-Range"]) == (206, f"bytes {first}-{last}/512000")
    assert body(answer) == BYTES[first : last + 1]
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["bytes=512000-", "bytes=-0", "bytes=999999999999999999-"])
def test_a_part_beyond_the_end(fetch, wanted):
    answer = fetch(Range=wanted)

    assert (answer.status_code, answer["Content-Range"], answer.content) == (416, "bytes */512000", b"")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wanted", ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=x-y", "bytes=" + "9" * 40 + "-"]
)
def test_a_range_that_makes_no_sense_is_ignored(fetch, wanted):
    assert fetch(Range=wanted).status_code == 200


@pytest.mark.django_db
def test_a_range_of_an_older_copy_is_ignored(fetch):
    assert fetch(Range="bytes=0-1", **{"If-Range": '"other"'}).status_code == 200
    assert fetch(Range="bytes=0-1", **{"If-Range": ETAG}).status_code == 206


@pytest.mark.django_db
def test_whoever_has_it_is_not_sent_it_again(fetch):
    answer = fetch(**{"If-None-Match": f'"other", {ETAG}'})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.django_db
def test_head_says_how_long_it_is(fetch):
    answer = fetch("head")

    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, "512000", b"")


@pytest.mark.django_db
def test_a_stranger_finds_nothing(client, clip, as_bob, as_staff):
    assert client.get(clip.url, headers=as_bob).status_code == 404
    assert client.get(clip.url).status_code == 404
    seen = client.get(clip.url, headers=as_staff)
    assert (seen.status_code, body(seen)) == (200, BYTES)
    seen.close()


@pytest.mark.django_db
def test_a_download_that_was_never_begun_leaves_no_file_open(fetch, monkeypatch):
    opened = []
    storage = SimpleNamespace(open=lambda key: opened.append(default_storage.open(key)) or opened[0])
    monkeypatch.setattr("runs.api.content.default_storage", storage)

    fetch().close()

    assert opened[0].closed


@pytest.mark.django_db
def test_bytes_that_are_gone_are_not_found(fetch, clip):
    default_storage.delete(clip.storage_key)

    answer = fetch()

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.django_db(transaction=True)
def test_under_asgi_it_is_streamed_in_small_pieces(clip, as_alice):
    async def download():
        answer = await AsyncClient().get(clip.url, headers={**as_alice, "Range": "bytes=1-"})
        pieces = [piece async for piece in answer.streaming_content]
        answer.close()
        return answer.status_code, pieces

    status, pieces = asyncio.run(download())

    assert (status, b"".join(pieces)) == (206, BYTES[1:])
    assert max(map(len, pieces)) <= 256 * 1024
    assert len(pieces) >= 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("output", "name"),
    [("Nachtzug.mp4", 'filename="Nachtzug.mp4"'), ("Der Zug ñ.webm", "filename*=utf-8''Der%20Zug%20%C3%B1.mp4")],
)
def test_the_film_is_called_what_its_recipe_calls_it(fetch, clip, output, name):
    Run.objects.filter(pk=clip.run_id).update(zap_url=clip.url, output=output)

    assert name in fetch("head")["Content-Disposition"]


@pytest.mark.django_db
def test_what_is_not_the_film_is_called_by_its_id(fetch):
    assert 'filename="asset_clip.mp4"' in fetch("head")["Content-Disposition"]

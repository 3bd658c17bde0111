"""The pictures of recipes and clips: whose they are, and who sees them."""

from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from media.mock import mock_media
from runs.models import Asset
from tests.integration.gates import gated, make_attempt
from tests.integration.recipes import door
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(alice):
    """A picture that a run of Alice's made, with its bytes in storage."""
    run = gated(alice)
    make_attempt(run, 1)
    asset = Asset.objects.get()
    default_storage.save(asset.storage_key, ContentFile(mock_media("png", seed="door", label="A door")))
    return asset


def source_of(page):
    return page.one("li", class_="card").one("img").given["src"]


def test_a_still_is_a_small_jpeg_for_whoever_may_see_the_run(as_alice, as_bob, picture):
    answer = as_alice.client.get(f"/stills/{picture.asset_id}.jpg")

    assert answer["Content-Type"] == "image/jpeg"
    assert max(Image.open(BytesIO(answer.content)).size) <= 960
    assert as_bob.client.get(f"/stills/{picture.asset_id}.jpg").status_code == 404


def test_what_an_author_chose_of_a_run_of_theirs_is_the_recipes_picture_for_all(as_bob, alice, picture):
    publish(Entry(source=door(), visibility="public", hero_asset_url=picture.url), author=alice)

    address = source_of(as_bob.open("/"))

    assert address == "/zaps/blue-door/poster.jpg"
    assert as_bob.client.get(address)["Content-Type"] == "image/jpeg"


def test_a_recipe_shows_nobody_what_its_author_may_not_show(as_bob, as_alice, picture):
    publish(Entry(source=door(), visibility="public", hero_asset_url=picture.url), author=_user(as_bob))

    assert as_alice.client.get("/zaps/blue-door/poster.jpg").status_code == 404


def test_the_picture_of_a_private_recipe_is_private(as_bob, alice, picture):
    publish(Entry(source=door(), visibility="private", hero_asset_url=picture.url), author=alice)

    assert as_bob.client.get("/zaps/blue-door/poster.jpg").status_code == 404


def test_a_picture_elsewhere_is_not_asked_for(nobody, alice):
    publish(Entry(source=door(), visibility="public", hero_asset_url="https://elsewhere.example/a.png"), author=alice)

    assert source_of(nobody.open("/")) == "/zaps/blue-door/poster.svg"


def test_a_recipe_that_was_delivered_with_a_picture_shows_it(nobody, recipes):
    pictures = [card.one("img").given["src"] for card in nobody.open("/").all("li", class_="card")]

    assert pictures == [f"/static/web/posters/{slug}.svg" for slug in ("hello-film", "lost-sock", "museum-of-mondays")]


def _user(visitor):
    return visitor.client.get("/api/session").wsgi_request.user

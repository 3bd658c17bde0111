"""The gallery, and what every page has in common."""

import pytest
from django.contrib.staticfiles import finders

from tests.integration.people import make_user
from tests.integration.recipes import door
from tests.pages import Visitor, parse
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db


def titles(page):
    return [card.one("h2").text for card in page.all("li", class_="card")]


def test_every_recipe_has_a_card_with_a_picture_that_leads_to_it(nobody, recipes):
    page = nobody.open("/")

    assert titles(page) == ["Hello film", "Lost sock", "Museum of mondays"]
    for card in page.all("li", class_="card"):
        address = card.one("h2").one("a").given["href"]
        assert nobody.open(address).one("h1").text == card.one("h2").text
        assert finders.find(card.one("img").given["src"].removeprefix("/static/"))


def test_a_search_shows_what_matches_and_keeps_its_words(nobody, recipes):
    page = nobody.open("/?query=sock")

    assert titles(page) == ["Lost sock"]
    assert page.one("input", name="query").given["value"] == "sock"


def test_a_search_that_finds_nothing_says_so_and_shows_the_way_back(nobody, recipes):
    page = nobody.open("/?query=submarine")

    assert titles(page) == []
    assert page.one("p", class_="found").text == "Nothing matches “submarine”. Show all"


def test_a_tag_leads_to_the_recipes_that_have_it(nobody, recipes):
    tag = next(one for one in nobody.open("/").all("a", class_="tag") if one.text == "museum")

    assert titles(nobody.open(tag.given["href"])) == ["Museum of mondays"]


def test_more_recipes_than_a_page_holds_are_on_the_next(nobody):
    for number in range(26):
        publish(Entry(source=door(slug=f"door-{number:02}"), prompts={}, visibility="public"), author=None)

    first = nobody.open("/")
    second = nobody.open(first.one("a", rel="next").given["href"])

    assert len(titles(first)) == 24
    assert titles(second) == ["Door 24", "Door 25"]
    assert not second.all("a", rel="next")


def test_a_private_recipe_is_on_its_authors_gallery_alone(nobody, as_bob):
    anna = make_user("anna")
    publish(Entry(source=door(slug="my-secret"), prompts={}, visibility="private"), author=anna)

    assert titles(Visitor(anna).open("/")) == ["My secret"]
    assert titles(as_bob.open("/")) == titles(nobody.open("/")) == []
    assert "There is no recipe" in nobody.open("/zaps/my-secret", status=404).text


def test_markup_in_a_recipe_is_text_on_every_page(nobody):
    evil = "<script>alert(1)</script>"
    publish(Entry(source=door(), prompts={}, title=evil, description=evil, visibility="public"), author=None)

    for path in ("/", "/zaps/blue-door", f"/?query={evil}"):
        page = nobody.open(path)
        assert evil in page.text
        assert not [one for one in page.all("script") if "src" not in one.given]


@pytest.mark.parametrize("path", ["/", "/zaps/hello-film", "/sign-in", "/nowhere", "/runs/run_none"])
def test_no_page_holds_a_script_a_style_or_anything_from_another_site(path, nobody, recipes):
    answer = nobody.client.get(path)

    page = parse(answer)
    assert not page.all("style")
    for one in page:
        assert not [name for name in one.given if name == "style" or name.startswith("on")]
        assert one.given.get("src", "/").startswith("/")
        assert one.given.get("href", "/").startswith(("/", "#"))
    assert all("src" in script.given for script in page.all("script"))


def test_a_page_lets_the_browser_load_from_this_site_only(nobody):
    policy = nobody.client.get("/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_somebody_signs_in_and_is_back_where_they_were_and_signs_out(nobody, recipes):
    make_user("anna")
    page = nobody.open("/sign-in?next=/zaps/lost-sock")

    came = nobody.press(page, "Sign in", username="anna", password="x")

    assert came["Location"] == "/zaps/lost-sock"
    page = nobody.open(came["Location"])
    assert "anna" in page.one("header", class_="top").text
    assert nobody.press(nobody.open("/account"), "Sign out")["Location"] == "/"
    assert nobody.open("/").all("a", href="/sign-in")


def test_a_wrong_password_is_told_without_saying_which_of_the_two_was_wrong(nobody):
    make_user("anna")

    answer = nobody.press(nobody.open("/sign-in"), "Sign in", username="anna", password="y")

    assert (
        parse(answer).one("div", role="alert").text
        == "That name and password do not go together. After many tries, wait a minute."
    )


def test_signing_in_leads_to_no_other_site(nobody):
    make_user("anna")
    page = nobody.open("/sign-in?next=https://elsewhere.example/")

    assert nobody.press(page, "Sign in", username="anna", password="x")["Location"] == "/"


def test_a_browser_that_asks_for_the_icon_is_told_where_it_is(nobody):
    answer = nobody.client.get("/favicon.ico")

    assert answer.status_code == 302
    assert finders.find(answer["Location"].removeprefix("/static/"))

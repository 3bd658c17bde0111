"""The studio: writing a recipe, what is wrong with it, publishing it, and what changed between versions."""

import pytest

from tests.integration.people import make_user
from tests.integration.recipes import door
from tests.pages import Visitor, parse
from zaps.catalogue import Entry, publish, save_draft
from zaps.models import Zap

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(alice):
    """A recipe of Alice's with two versions."""
    publish(Entry(source=door(slug="my-door"), visibility="public"), author=alice)
    return publish(Entry(source=door(slug="my-door", description="A door opens slowly.")), author=alice).zap


def check(visitor, source, **more):
    return parse(visitor.press(visitor.open("/studio"), "Check", source=source, **more))


def test_the_studio_opens_with_a_recipe_in_which_nothing_is_wrong_and_its_price(as_alice):
    page = as_alice.open("/studio")

    assert page.one("h2", id="found").text == "Nothing is wrong"
    assert [row.one("th").text for row in page.one("tbody").all("tr")] == ["portrait", "film"]
    assert len(page.all("path", class_="edge")) == 1


def test_what_is_wrong_is_named_with_its_line(as_alice):
    page = check(as_alice, door().replace("kind: stitch", "kind: stich"))

    assert page.one("h2", id="found").text == "1 thing to mend"
    error = page.one("ol", class_="errors").one("li")
    assert error.given["data-line"] == "13"
    assert error.text.startswith("Line 13 ")
    assert "stitch" in error.text
    assert not page.all("section", id="plan")
    assert "kind: stich" in page.one("textarea", name="source").text


def test_a_prompt_file_that_the_text_names_can_be_written_beside_it(as_alice):
    source = door().replace('"A blue door for {NAME}"', "prompts/door.md")

    page = check(as_alice, source, more="prompts/door.md")
    field = page.one("textarea", name="prompt.prompts/door.md")
    answer = as_alice.press(page, "Publish", source=source, **{field.given["name"]: "A door for {NAME}"})

    assert answer["Location"] == "/zaps/blue-door"
    assert Zap.objects.get().prompts == {"prompts/door.md": "A door for {NAME}"}


def test_a_prompt_file_that_nobody_has_written_is_begun_at_the_line_that_names_it(as_alice):
    source = door().replace('"A blue door for {NAME}"', "prompts/door.md")
    page = check(as_alice, source)

    button = page.one("ol", class_="errors").one("button")
    again = parse(as_alice.press(page, "Check", source=source, **{button.given["name"]: button.given["value"]}))

    assert button.text == "Write prompts/door.md"
    assert again.one("textarea", name="prompt.prompts/door.md")


def test_a_prompt_file_is_taken_away(as_alice):
    page = check(as_alice, door(), more="prompts/door.md")
    button = page.one("button", value="prompts/door.md")

    again = parse(as_alice.press(page, button.text, **{button.given["name"]: button.given["value"], "more": ""}))

    assert [one.given["name"] for one in again.all("textarea")] == ["source"]


def test_publishing_puts_the_recipe_into_the_gallery_with_its_author(as_alice, alice):
    answer = as_alice.press(
        as_alice.open("/studio"), "Publish", source=door().replace("\n", "\r\n"), status="published"
    )

    zap = Zap.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, "/zaps/blue-door")
    assert (zap.author, zap.status, zap.version, zap.source) == (alice, "published", 1, door())
    assert as_alice.open("/zaps/blue-door").all("a", href="/studio?edit=blue-door")


def test_a_draft_is_kept_and_shown_to_its_author_alone(as_alice, as_bob):
    as_alice.press(as_alice.open("/studio"), "Keep as a draft", source=door(), status="draft")

    assert Zap.objects.get().status == "draft"
    as_alice.open("/zaps/blue-door")
    as_bob.open("/zaps/blue-door", status=404)


@pytest.fixture
def drafted(mine, alice):
    """A draft of Alice's over the second version."""
    return save_draft(Entry(source=door(slug="my-door", description="A door slams.")), author=alice).zap


def test_the_studio_opens_the_draft_over_what_is_published(as_alice, drafted):
    page = as_alice.open("/studio?edit=my-door")

    assert "A door slams." in page.one("textarea", name="source").text
    assert "Others run version 2" in page.one("div", class_="care").text
    published = as_alice.open(next(one for one in page.all("a") if one.text == "open that one").given["href"])
    assert "A door opens slowly." in published.one("textarea", name="source").text
    assert "Edit your draft" in [one.text for one in as_alice.open("/zaps/my-door").all("a")]


def test_a_draft_is_compared_with_what_is_published_by_its_author_alone(as_alice, as_bob, drafted):
    page = as_alice.open("/zaps/my-door/versions?to=draft")

    assert [row.text for row in page.all("tr", class_="removed")] == ["removed − description: A door opens slowly."]
    assert [row.text for row in page.all("tr", class_="added")] == ["added + description: A door slams."]
    assert [one.text for one in page.one("select", id="to").all("option")] == ["1", "2", "draft"]
    assert [one.text for one in as_bob.open("/zaps/my-door/versions").one("select", id="to").all("option")] == [
        "1",
        "2",
    ]
    as_bob.open("/zaps/my-door/versions?to=draft", status=404)


def test_whoever_keeps_a_draft_goes_on_with_it(as_alice, mine):
    page = as_alice.open("/studio?edit=my-door")
    text = door(slug="my-door", description="A door slams.")

    answer = as_alice.press(page, "Keep as a draft", source=text, status="draft")

    assert answer["Location"] == "/studio?edit=my-door"
    assert "A door slams." in as_alice.open(answer["Location"]).one("textarea", name="source").text


def test_a_text_that_is_wrong_is_not_published_and_not_lost(as_alice):
    wrong = door().replace("kind: stitch", "kind: stich")

    answer = as_alice.press(as_alice.open("/studio"), "Publish", source=wrong, status="published")

    assert answer.status_code == 422
    assert "kind: stich" in parse(answer).one("textarea", name="source").text
    assert not Zap.objects.exists()


def test_somebody_elses_slug_is_refused_in_words(as_bob, mine):
    answer = as_bob.press(as_bob.open("/studio"), "Publish", source=door(slug="my-door"), status="published")

    assert answer.status_code == 409
    assert "my-door" in parse(answer).one("div", role="alert").text


def test_a_copy_begins_with_the_others_text_under_a_slug_of_its_own(as_bob, mine):
    copy = next(one for one in as_bob.open("/zaps/my-door").all("a") if one.text == "Make a copy")

    source = as_bob.open(copy.given["href"]).one("textarea", name="source").text

    assert "zap: my-door-copy" in source
    assert "A door opens slowly." in source


def test_an_author_edits_and_others_do_not_find_the_button(as_alice, as_bob, mine):
    assert "Edit" in [one.text for one in as_alice.open("/zaps/my-door").all("a")]
    assert "Edit" not in [one.text for one in as_bob.open("/zaps/my-door").all("a")]
    assert "zap: my-door " in as_alice.open("/studio?edit=my-door").one("textarea", name="source").text


def test_two_versions_are_compared_line_by_line(nobody, mine):
    page = nobody.open("/zaps/my-door/versions")

    assert [row.text for row in page.all("tr", class_="removed")] == ["removed − description: A door opens."]
    assert [row.text for row in page.all("tr", class_="added")] == ["added + description: A door opens slowly."]


def test_a_version_compared_with_itself_differs_in_nothing(nobody, mine):
    assert "Nothing differs." in nobody.open("/zaps/my-door/versions?from=1&to=1").text


def test_where_there_is_one_version_none_are_compared(as_alice, alice):
    publish(Entry(source=door(slug="my-door"), visibility="public"), author=alice)

    for path in ("/zaps/my-door", "/studio?edit=my-door"):
        assert "/zaps/my-door/versions" not in [one.given.get("href") for one in as_alice.open(path).all("a")]
    page = as_alice.open("/zaps/my-door/versions")
    assert not page.all("select")
    assert "There is one version of it." in page.text


@pytest.mark.parametrize(("query", "status"), [("from=1&to=9", 404), ("from=x&to=1", 422), ("to=-1", 422)])
def test_a_version_that_there_is_not_is_refused_in_words(query, status, nobody, mine):
    assert nobody.open(f"/zaps/my-door/versions?{query}", status=status).one("h1").text


@pytest.mark.parametrize("query", ["?edit=nothing-here", "?from=../../x", "?from=my-door"])
def test_a_recipe_that_is_not_there_for_one_is_not_opened(query, as_bob, alice):
    publish(Entry(source=door(slug="my-door"), visibility="private"), author=alice)

    as_bob.open(f"/studio{query}", status=404)


def test_the_studio_is_for_who_signed_in(nobody):
    answer = nobody.client.get("/studio")

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=/studio")
    assert Visitor(make_user("anna")).open("/studio")

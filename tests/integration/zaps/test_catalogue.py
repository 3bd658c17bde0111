from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from core.errors import BadInput, NotFound
from tests.integration.people import make_user
from tests.integration.recipes import DOOR, door
from zaps import catalogue
from zaps.bundled import bundled
from zaps.catalogue import Entry, SlugTaken, find, listed, load_bundled, publish, save_draft
from zaps.models import Zap, ZapVersion

NEWER = DOOR.replace("A blue door for", "A very blue door for")


@pytest.fixture
def bob(db):
    return make_user("bob")


@pytest.fixture
def staff(db):
    return make_user("sam", staff=True)


def slugs(user, query=""):
    return list(listed(user, query=query).values_list("slug", flat=True))


def test_publishing_makes_versions_and_an_unchanged_text_makes_none(alice):
    first = publish(Entry(source=DOOR), author=alice)
    again = publish(Entry(source=DOOR, title="Another title"), author=alice)
    second = publish(Entry(source=NEWER), author=alice)

    assert [(one.zap.version, one.is_new) for one in (first, again, second)] == [(1, True), (1, False), (2, True)]
    assert again.zap.title == "Another title"
    assert list(ZapVersion.objects.order_by("version").values_list("version", "source")) == [(1, DOOR), (2, NEWER)]


def test_a_changed_prompt_file_is_another_version(alice):
    filed = DOOR.replace('prompt: "A blue door for {NAME}"', "prompt: prompts/door.md")
    publish(Entry(source=filed, prompts={"prompts/door.md": "A door"}), author=alice)

    assert publish(Entry(source=filed, prompts={"prompts/door.md": "A gate"}), author=alice).zap.version == 2


def test_the_database_refuses_to_change_a_version(alice):
    publish(Entry(source=DOOR), author=alice)

    with pytest.raises(IntegrityError), transaction.atomic():
        ZapVersion.objects.update(source="another")

    assert ZapVersion.objects.get().source == DOOR


def test_a_draft_over_a_published_recipe_shows_nothing_of_itself(alice, bob):
    publish(Entry(source=DOOR, title="Door", visibility="public"), author=alice)

    draft = save_draft(Entry(source=door(description="Secret."), title="Secret"), author=alice)

    assert (draft.zap.status, draft.zap.version, draft.is_new) == ("draft", 1, True)
    assert find("blue-door", bob).source == find("blue-door", alice).source == DOOR
    assert (draft.zap.title, draft.zap.description) == ("Door", "A door opens.")
    assert slugs(None, "secret") == []


def test_a_draft_that_was_never_published_is_its_authors_and_staffs(alice, bob, staff):
    save_draft(Entry(source=door(visibility="public")), author=alice)

    assert find("blue-door", alice).version == 0
    assert find("blue-door", staff).version == 0
    for stranger in (bob, None):
        with pytest.raises(NotFound):
            find("blue-door", stranger)
    assert (slugs(alice), slugs(bob), slugs(None)) == (["blue-door"], [], [])


def test_a_draft_that_goes_back_to_the_published_text_is_no_draft(alice):
    publish(Entry(source=DOOR), author=alice)
    save_draft(Entry(source=NEWER), author=alice)

    assert save_draft(Entry(source=DOOR), author=alice).zap.status == "published"


@pytest.mark.parametrize(
    ("visibility", "found", "in_lists"), [("public", True, True), ("unlisted", True, False), ("private", False, False)]
)
def test_who_sees_a_published_recipe(alice, bob, staff, visibility, found, in_lists):
    publish(Entry(source=DOOR, visibility=visibility), author=alice)

    for stranger in (bob, None):
        if found:
            assert find("blue-door", stranger).version == 1
        else:
            with pytest.raises(NotFound):
                find("blue-door", stranger)
        assert slugs(stranger) == (["blue-door"] if in_lists else [])
    assert find("blue-door", staff).version == find("blue-door", alice).version == 1
    assert slugs(alice) == ["blue-door"]


def test_without_a_word_about_it_a_recipe_is_private(alice):
    assert publish(Entry(source=DOOR), author=alice).zap.visibility == "private"


def test_the_recipe_itself_may_say_how_it_appears(alice):
    assert publish(Entry(source=door(visibility="unlisted")), author=alice).zap.visibility == "unlisted"


def test_an_older_version_can_still_be_had(alice):
    publish(Entry(source=DOOR), author=alice)
    publish(Entry(source=NEWER), author=alice)

    assert find("blue-door", alice, version=1).source == DOOR
    assert find("blue-door", alice).source == NEWER
    with pytest.raises(NotFound):
        find("blue-door", alice, version=3)


def test_a_slug_belongs_to_whoever_came_first(alice, bob):
    publish(Entry(source=DOOR), author=alice)

    for keep in (publish, save_draft):
        with pytest.raises(SlugTaken):
            keep(Entry(source=NEWER), author=bob)

    assert Zap.objects.get().source == DOOR


@pytest.mark.parametrize("slug", ["api", "admin", "runs", "publish", "validate", "run"])
def test_the_words_of_our_addresses_are_nobodys_slug(alice, slug):
    with pytest.raises(SlugTaken):
        publish(Entry(source=door(slug=slug)), author=alice)

    assert not Zap.objects.exists()


def test_a_bundled_slug_is_nobodys_even_before_it_is_loaded(alice):
    slug = next(bundled()).slug

    with pytest.raises(SlugTaken):
        publish(Entry(source=door(slug=slug)), author=alice)


def test_a_broken_recipe_leaves_no_row(alice):
    with pytest.raises(BadInput):
        publish(Entry(source="no recipe"), author=alice)

    assert not Zap.objects.exists()


def test_loading_the_bundled_recipes_twice_changes_nothing(db):
    first, second = load_bundled(), load_bundled()

    assert first
    assert second == []
    assert set(Zap.objects.values_list("version", "status", "author")) == {(1, "published", None)}
    assert ZapVersion.objects.count() == len(first)


def test_a_bundled_recipe_never_overwrites_a_users(alice, monkeypatch):
    publish(Entry(source=DOOR), author=alice)
    monkeypatch.setattr(catalogue, "bundled", lambda: [type("One", (), {"source": NEWER, "prompts": {}})])

    assert load_bundled() == []
    assert Zap.objects.get().source == DOOR


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["blue-door", "red-gate"]),
        ("DOOR", ["blue-door"]),
        ("gate swings", ["red-gate"]),
        ("swings door", []),
        ("mock", ["blue-door", "red-gate"]),
        ("photo", ["blue-door", "red-gate"]),
        ("red", ["red-gate"]),
        ("%", []),
        ("_", []),
    ],
)
def test_every_word_of_a_search_must_stand_somewhere(alice, query, found):
    publish(Entry(source=DOOR, visibility="public"), author=alice)
    publish(Entry(source=door(slug="red-gate", description="It swings."), visibility="public"), author=alice)

    assert slugs(None, query) == found


def test_one_text_is_parsed_once(alice, monkeypatch):
    text = DOOR.replace("A door opens.", "Parsed once.")
    parsed = []
    parse = catalogue.parse
    monkeypatch.setattr(catalogue, "parse", lambda *a, **k: parsed.append(1) or parse(*a, **k))

    for _ in range(3):
        catalogue.parse_cached(text, {})

    assert len(parsed) == 1


def test_the_same_slug_with_other_prompts_is_another_recipe(alice):
    filed = DOOR.replace('prompt: "A blue door for {NAME}"', "prompt: prompts/door.md")
    ours = catalogue.parse_cached(filed, {"prompts/door.md": "ours"})
    theirs = catalogue.parse_cached(filed, {"prompts/door.md": "theirs"})

    assert (ours.steps[0].prompt, theirs.steps[0].prompt) == ("ours", "theirs")


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_the_same_slug_at_once_do_not_both_get_it(alice, bob):
    together = Barrier(2)

    def send(author):
        try:
            together.wait()
            return publish(Entry(source=DOOR), author=author).zap.author_id
        except SlugTaken:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        owners = list(threads.map(send, [alice, bob]))

    assert sorted(owner is None for owner in owners) == [False, True]
    assert Zap.objects.get().author_id in owners
    assert ZapVersion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_author_who_publishes_twice_at_once_gets_two_versions_or_one_and_no_error(alice):
    together = Barrier(2)

    def send(source):
        try:
            together.wait()
            return publish(Entry(source=source), author=alice).zap.version
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        versions = list(threads.map(send, [DOOR, NEWER]))

    assert sorted(versions) == [1, 2]

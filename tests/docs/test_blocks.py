"""How pages are read, and what counts as the same output."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.docs.blocks import blocks_of, commands_of
from tests.docs.likeness import learn, put_in

PAGE = """# A page

<!-- before: N=1 -->
<!-- exit: 0, 3 -->
```console
$ echo one \\
    two
one two
$ exit 3
```

Words.

<!-- file: a/b.txt -->
```text
$ not a command
```

<!-- not run: needs docker -->
```sh
docker compose up
```
"""


def like(shown, printed):
    return learn(shown, printed, {})


def test_a_page_is_read_into_its_blocks_with_what_their_comments_say():
    console, file, script = blocks_of("page.md", PAGE)

    assert (console.line, console.before, console.exits, console.is_commands) == (5, ["N=1"], [0, 3], True)
    assert (file.file, file.text, file.is_commands) == ("a/b.txt", "$ not a command\n", False)
    assert script.not_run == "needs docker"


def test_a_block_is_read_into_its_commands_what_they_print_and_how_they_end():
    commands = commands_of(blocks_of("page.md", PAGE)[0])

    assert [(one.text, one.shown, one.exit) for one in commands] == [
        ("N=1", "", 0),
        ("echo one \\\n    two", "one two", 0),
        ("exit 3", "", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nls\n",
        "<!-- exit: 1 -->\n\nWords between.\n\n```sh\nls\n```\n",
        "<!-- not run: needs docker -->\n",
    ],
)
def test_a_page_that_is_not_well_formed_is_told(text):
    with pytest.raises(AssertionError, match=r"page\.md"):
        blocks_of("page.md", text)


@pytest.mark.parametrize("text", ["```console\nls\n```\n", "<!-- exit: 1, 2 -->\n```console\n$ ls\n```\n"])
def test_a_block_without_a_command_or_with_too_many_exits_is_told(text):
    with pytest.raises(AssertionError, match=r"page\.md:\d"):
        commands_of(blocks_of("page.md", text)[0])


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("one two", "one   \n two\n"),
        ("14:32:43  film  done", "09:00:01  film  done"),
        ("done in 1 min 16 s, $0.00", "done in 7 s, $0.00"),
        ("first\n…\nlast", "first\nsecond\nlast"),
        ("first\n…\nlast", "first\nlast"),
        ('{"a": 1, …"at": 1795278561747}', '{"a":1,"b":[2],"at":1803075258761}'),
        ("run_4fsd4vmtjz0z5d7z is run_4fsd4vmtjz0z5d7z", "run_0000000000000000 is run_0000000000000000"),
    ],
)
def test_what_cannot_be_known_before_is_left_open(shown, printed):
    assert like(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("one two", "one three"),
        ("one", "one two"),
        ("done in 7 s, $0.00", "done in 7 s, $0.01"),
        ("run_4fsd4vmtjz0z5d7z is run_4fsd4vmtjz0z5d7z", "run_0000000000000000 is run_1111111111111111"),
        ("run_4fsd4vmtjz0z5d7z", "asset_0000000000000000"),
        ("a.c", "abc"),
    ],
)
def test_another_word_sum_or_id_is_a_difference(shown, printed):
    assert not like(shown, printed)


def test_an_id_of_the_page_stands_for_the_real_one_from_then_on():
    ids = {}

    assert learn("queued: run_4fsd4vmtjz0z5d7z …", "queued: run_1111111111111111 and more", ids)
    assert put_in("zap status run_4fsd4vmtjz0z5d7z", ids) == "zap status run_1111111111111111"
    assert not learn("run_4fsd4vmtjz0z5d7z", "run_2222222222222222", ids)


@given(st.text())
def test_every_text_is_like_itself(text):
    assert like(text, text)


@given(st.text(st.sampled_from("ab 1:{,.…\n$"), max_size=30), st.text(st.sampled_from("ab 1:{,.\n$"), max_size=30))
def test_only_white_space_and_gaps_make_texts_of_different_letters_alike(shown, printed):
    if "…" not in shown and like(shown, printed):
        assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", printed)

"""What people read."""

import xml.etree.ElementTree as ET

import pytest

from runs.states import RunStatus, StepStatus, WaitReason
from web import posters, words
from web.numbers import number
from zaps.kind import KINDS


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (0.0, "$0"),
        (0.025, "$0.025"),
        (1.15, "$1.15"),
        (1.5, "$1.50"),
        (12, "$12.00"),
        (0.00004, "$0.00"),
        (None, "?"),
    ],
)
def test_money_has_its_cents_and_more_only_where_there_is_more(amount, text):
    assert words.usd(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_a_duration_is_as_exact_as_it_is_short(seconds, text):
    assert words.duration(seconds) == text


def test_every_status_kind_and_reason_has_words():
    assert {*RunStatus, *StepStatus} <= set(words.STATUS)
    assert {kind.name for kind in KINDS} <= set(words.KIND)
    assert all(words.waiting_for(reason, ["portrait"]) for reason in WaitReason)


def test_who_waits_for_a_step_says_for_which():
    assert words.waiting_for("dependency", ["arrival", "tune"]) == "Waits for arrival, tune"
    assert words.waiting_for(None, []) == ""


def test_a_poster_is_a_picture_and_the_same_every_time():
    assert ET.fromstring(posters.draw("lost-sock")).tag.endswith("svg")
    assert posters.draw("lost-sock") == posters.draw("lost-sock") != posters.draw("hello-film")


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("-2", -2), ("0.5", 0.5), ("two", "two"), ("--3", "--3")])
def test_what_is_no_number_stays_what_was_typed(text, value):
    assert number(text) == value

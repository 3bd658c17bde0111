from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api.filters import flag, moment, parameters, read_filters, text, word
from core.errors import BadInput

FILTERS = (
    word("status", "status", ["done", "failed"]),
    text("zapSlug", "zap_slug", hint="a slug"),
    moment("since", "started_at__gte", about="Then or later."),
    flag("mine", "mine", about="Only mine."),
)


def test_what_is_not_given_narrows_nothing():
    assert read_filters({"cursor": "x", "nonsense": "1"}, FILTERS) == {}


def test_each_parameter_becomes_what_its_column_is_compared_with():
    given_ = {"status": "done", "zapSlug": "hello-film", "since": "1000", "mine": "false"}

    assert read_filters(given_, FILTERS) == {
        "status": "done",
        "zap_slug": "hello-film",
        "started_at__gte": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        "mine": False,
    }


def test_everything_that_is_wrong_is_named_at_once():
    with pytest.raises(BadInput) as caught:
        read_filters({"status": "gone", "zapSlug": "a\0", "since": "-1", "mine": "yes"}, FILTERS)

    assert [problem.path for problem in caught.value.problems] == ["status", "zapSlug", "since", "mine"]
    assert caught.value.problems[0].message == "status is one of done, failed."


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of all is slow
@given(st.dictionaries(st.sampled_from([one.name for one in FILTERS]), st.text(max_size=80)))
def test_any_text_is_read_or_refused(given_):
    wrong = set()
    try:
        found = read_filters(given_, FILTERS)
    except BadInput as exc:
        found, wrong = {}, {problem.path for problem in exc.problems}

    assert wrong <= set(given_)
    assert wrong or len(found) == len(given_)


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_every_moment_that_a_date_can_be_is_read(moment_ms):
    at = read_filters({"since": str(moment_ms)}, FILTERS)["started_at__gte"]

    assert round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) == moment_ms


def test_the_contract_is_told_of_each():
    assert [one.name for one in parameters(FILTERS)] == ["status", "zapSlug", "since", "mine"]

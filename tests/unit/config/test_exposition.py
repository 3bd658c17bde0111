import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.metrics.exposition import gauge, gauge_by, write

_LINE = re.compile(r'zaps_x\{word="((?:[^"\\\n]|\\["\\n])*)"\} (\S+)')
_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read(line):
    word, value = _LINE.fullmatch(line).groups()
    return re.sub(r"\\.", lambda found: _UNESCAPED[found[0]], word), float(value)


def test_it_looks_as_the_format_wants_it():
    page = write([
        gauge("zaps_late_seconds", "How late.\nIn seconds.", 1.5),
        gauge_by("zaps_runs", "Runs.", "status", {"running": 2, "queued": 0}),
        gauge("zaps_none", "Nothing.", None),
        gauge("zaps_spent_usd", "Money.", Decimal("0.000001")),
    ])  # fmt: skip

    assert page == (
        "# HELP zaps_late_seconds How late.\\nIn seconds.\n"
        "# TYPE zaps_late_seconds gauge\n"
        "zaps_late_seconds 1.5\n"
        "# HELP zaps_runs Runs.\n"
        "# TYPE zaps_runs gauge\n"
        'zaps_runs{status="queued"} 0\n'
        'zaps_runs{status="running"} 2\n'
        "# HELP zaps_spent_usd Money.\n"
        "# TYPE zaps_spent_usd gauge\n"
        "zaps_spent_usd 0.000001\n"
    )


def test_values_that_are_none_have_their_names():
    values = {"a": float("inf"), "b": float("-inf"), "c": float("nan")}
    lines = write([gauge_by("zaps_x", "X.", "word", values)]).splitlines()[2:]

    assert [line.split()[1] for line in lines] == ["+Inf", "-Inf", "NaN"]


@given(st.dictionaries(st.text(max_size=20), st.floats(allow_nan=False), min_size=1))
def test_every_word_and_value_comes_back(values):
    page = write([gauge_by("zaps_x", "X.", "word", values)])
    lines = page.split("\n")

    assert lines.pop() == ""
    assert dict(map(read, lines[2:])) == values

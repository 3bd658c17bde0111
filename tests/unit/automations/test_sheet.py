import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.sheet import MOST_ROWS, read
from core.errors import BadInput, Problem


def places(text, form):
    """What is wrong: code, line, column."""
    with pytest.raises(BadInput) as refused:
        read(text, form)
    return [(one.code, one.line, one.column) for one in refused.value.problems]


def test_a_row_of_csv_knows_where_each_value_stands():
    (row,) = read('NAME,"PLA""CE"\r\n"Ada\nLovelace, Lady",London\r\n', "csv")

    assert (row.number, row.line) == (1, 2)
    assert row.values == {"NAME": "Ada\nLovelace, Lady", 'PLA"CE': "London"}
    assert [(cell.line, cell.column) for cell in row.cells.values()] == [(2, 1), (3, 17)]


def test_a_row_of_json_lines_knows_where_each_value_stands():
    rows = read('{"NAME": "Ada"}\n\n{"AGE": 36, "NAME": "Bob"}', "jsonl")

    assert [(row.number, row.line, row.values) for row in rows] == [
        (1, 1, {"NAME": "Ada"}), (2, 3, {"AGE": 36, "NAME": "Bob"})
    ]  # fmt: skip
    assert rows[1].cells["NAME"].column == 13


def test_an_empty_value_counts_as_not_given():
    assert read("A,B\n1,\n", "csv")[0].values == {"A": "1"}


def test_a_mark_at_the_beginning_of_the_file_belongs_to_no_column():
    assert read("\ufeffA\n1", "csv")[0].values == {"A": "1"}


def test_a_problem_of_an_input_is_told_at_its_place():
    _, row = read("NAME,AGE\nAda,36\nBob,old\n", "csv")

    told = row.problem(Problem(code="INPUT_INVALID", message="AGE must be a number.", path="inputs.AGE"))

    assert told == Problem(
        code="INPUT_INVALID", message="Row 2: AGE must be a number.", line=3, column=5, path="rows[2].AGE"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("BATCH_EMPTY", None, None)]),
        ("A,B\n", [("BATCH_EMPTY", None, None)]),
        ("A,A\n1,2\n", [("COLUMN_INVALID", 1, 3)]),
        ("A,\n1,2\n", [("COLUMN_INVALID", 1, 3)]),
        ("A,B\n1\n1,2\n1,2,3", [("ROW_UNEVEN", 2, 1), ("ROW_UNEVEN", 4, 1)]),
        ('A,B\n1,"2\n', [("CSV_BROKEN", 2, 3)]),
        ('A,B\n1,"2"x\n', [("CSV_BROKEN", 2, 3)]),
    ],
)
def test_csv_that_cannot_be_read_is_refused_at_its_place(text, expected):
    assert places(text, "csv") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" \n", [("BATCH_EMPTY", None, None)]),
        ('{"A": 1}\n{"A" 2}\n[1]', [("JSON_BROKEN", 2, 6), ("JSON_BROKEN", 3, 1)]),
        ('{"A": NaN}', [("JSON_BROKEN", 1, 1)]),
        (r'{"A": "\ud800"}', [("JSON_BROKEN", 1, 1)]),
        ("[" * 100_000, [("JSON_BROKEN", 1, 1)]),
    ],
)
def test_json_lines_that_cannot_be_read_are_refused_at_their_places(text, expected):
    assert places(text, "jsonl") == expected


def test_a_batch_has_an_end():
    assert places("A\n" + "1\n" * (MOST_ROWS + 1), "csv") == [("BATCH_TOO_LARGE", MOST_ROWS + 2, 1)]
    assert places("A\n" + "x" * 1024 * 1024, "csv") == [("BATCH_TOO_LARGE", None, None)]
    assert len(read("A\n" + "1\n" * MOST_ROWS, "csv")) == MOST_ROWS


WORDS = st.text(st.sampled_from('ab,"\n\r \u00e9'), max_size=6)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_what_another_writes_as_csv_is_read_as_it_was_meant(values):
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("A", "B"), *values])

    rows = read(file.getvalue(), "csv")

    assert [row.values for row in rows] == [
        {name: word for name, word in zip("AB", pair, strict=True) if word.strip()} for pair in values
    ]


@given(st.text(max_size=60), st.sampled_from(["csv", "jsonl"]))
def test_any_text_is_read_or_refused(text, form):
    try:
        rows = read(text, form)
    except BadInput:
        return
    lines = text.count("\n") + text.count("\r") + 1
    assert rows
    assert all(1 <= row.line <= lines for row in rows)


@given(st.lists(st.dictionaries(st.text(min_size=1), st.text() | st.integers()), min_size=1, max_size=5))
def test_what_another_writes_as_json_lines_is_read_as_it_was_meant(values):
    rows = read("\n".join(json.dumps(one) for one in values), "jsonl")

    assert [row.values for row in rows] == values

import pytest
from django.test import RequestFactory

from core.api.sse import format_event, last_event_id


def test_an_event_is_three_fields_and_an_empty_line():
    assert format_event(name="snapshot", data='{"a":1}', event_id=7) == b'id: 7\nevent: snapshot\ndata: {"a":1}\n\n'


def test_every_line_of_the_data_is_a_field():
    assert format_event(name="x", data="a\nb", event_id=1) == b"id: 1\nevent: x\ndata: a\ndata: b\n\n"


@pytest.mark.parametrize(
    ("shown", "read"), [("7", 7), ("", None), ("-1", None), ("x", None), ("²", None), ("9" * 30, None)]
)
def test_only_a_number_is_an_id(shown, read):
    request = RequestFactory().get("/", headers={"Last-Event-ID": shown})

    assert last_event_id(request) == read

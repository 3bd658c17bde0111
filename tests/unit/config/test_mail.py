import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import mail
from config.env import Environment


def read(debug=False, **values):
    env = Environment(values)
    return mail.read(env, debug=debug), env.problems


def test_without_an_address_there_is_no_mail_but_in_debug_it_is_printed():
    assert read()[0].is_on is False
    assert read(debug=True)[0].backend.endswith("console.EmailBackend")


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "ssl"),
    [
        ("smtp://u:p%40ss@mail.example.com", "mail.example.com", 587, True, False),
        ("smtp://mail:2525?tls=off", "mail", 2525, False, False),
        ("smtps://u:p%40ss@mail.example.com", "mail.example.com", 465, False, True),
    ],
)
def test_a_mail_server_is_read_from_its_address(url, host, port, tls, ssl):
    told, problems = read(EMAIL_URL=url, ZAP_MAIL_FROM="zaps@example.com")

    assert problems == []
    assert (told.host, told.port, told.use_tls, told.use_ssl) == (host, port, tls, ssl)
    assert told.password in ("", "p@ss")
    assert told.is_on


@pytest.mark.parametrize(
    "url", ["http://mail", "smtp://", "smtp://mail/box", "smtp://mail?tls=maybe", "smtp://m:99999"]
)
def test_an_address_of_no_mail_server_stops_the_start_and_is_not_repeated(url):
    told, problems = read(EMAIL_URL=url, ZAP_MAIL_FROM="zaps@example.com")

    assert not told.is_on
    assert len(problems) == 1
    assert url not in problems[0].replace("smtp://user:password@host:587", "")


def test_a_mail_server_needs_a_sender():
    assert "ZAP_MAIL_FROM" in read(EMAIL_URL="smtp://mail")[1][0]


@given(st.text())
def test_whatever_is_set_is_read_or_refused(url):
    try:
        assert mail.parse(url).is_on
    except ValueError:
        pass

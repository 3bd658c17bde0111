import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config.env import Environment


def test_all_bad_values_are_named_at_once():
    env = Environment({"A": "maybe", "B": "-3", "C": "ftp://x", "D": "loud"})

    env.flag("A", about="")
    env.number("B", 1, about="")
    env.url("C", schemes=("http", "https"), about="")
    env.text("D", choices=("INFO", "DEBUG"), about="")

    with pytest.raises(ImproperlyConfigured) as refusal:
        env.check()
    assert str(refusal.value).splitlines() == [
        "The settings are not valid:",
        "A is 'maybe'; it must be 1 or 0.",
        "B is '-3'; it must be a whole number, 0 or more.",
        "C must begin with http:// or https://.",
        "D is 'loud'; it must be one of INFO, DEBUG.",
    ]


def test_good_values_raise_nothing():
    env = Environment({"A": " True ", "B": "7", "C": "https://zap.example.com/", "D": "a, b,,c"})

    assert env.flag("A", about="") is True
    assert env.number("B", 1, at_least=1, at_most=7, about="") == 7
    assert env.url("C", schemes=("https",), about="") == "https://zap.example.com"
    assert env.words("D", about="") == ["a", "b", "c"]
    env.check()


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("on", True), ("0", False), ("OFF", False), ("", True)])
def test_a_flag_knows_few_words_and_falls_back_where_it_is_empty(text, flag):
    assert Environment({"A": text}).flag("A", True, about="") is flag


@pytest.mark.parametrize("text", ["yes", "2", "1.5", "٣", "1e3", "0x10"])
def test_a_number_is_plain_digits(text):
    env = Environment({"A": text})

    env.number("A", 5, at_least=3, at_most=9, about="")

    assert env.problems == [f"A is {text!r}; it must be a whole number, 3 to 9."]


def test_a_secret_may_stand_in_a_file(tmp_path):
    (tmp_path / "key").write_text("from the file\n")

    assert Environment({"A_FILE": str(tmp_path / "key")}).secret("A", about="") == "from the file"


def test_the_variable_wins_over_its_file(tmp_path):
    (tmp_path / "key").write_text("from the file")
    env = Environment({"A": "from the variable", "A_FILE": str(tmp_path / "key")})

    assert env.secret("A", about="") == "from the variable"


def test_a_secret_file_that_cannot_be_read_stops_the_start():
    env = Environment({"A_FILE": "/nonexistent/key"})

    env.secret("A", about="")

    assert env.problems == ["A_FILE names '/nonexistent/key', which cannot be read (FileNotFoundError)."]


def test_a_bad_secret_or_address_is_not_repeated():
    env = Environment({"A": "hunter2", "B": "mysql://me:hunter2@host/db"})

    env.secret("A", at_least=32, about="")
    env.url("B", schemes=("postgresql",), about="")

    assert len(env.problems) == 2
    assert "hunter2" not in "".join(env.problems)


def test_keys_for_the_vault_are_fernet_keys_with_commas_between_them():
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    env = Environment({"A": f" {first} ,\n{second}, "})

    assert env.fernet_keys("A", about="", shown="") == [first, second]
    assert env.fernet_keys("B", about="", shown="") == []
    env.check()


@pytest.mark.parametrize(
    "text", ["secret-word", "secret-word" * 4, "A" * 44, "A" * 43 + "=,secret-word", "A" * 42 + "é="]
)
def test_what_is_no_fernet_key_is_refused_and_not_repeated(text):
    env = Environment({"A": text})

    assert env.fernet_keys("A", about="", shown="") == []
    assert env.problems == ["A holds something that is no Fernet key: 32 bytes as URL-safe base64."]

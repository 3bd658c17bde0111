import pytest

from core.registry import UnknownName
from providers import registry
from providers.adapters.mock import Mock
from providers.errors import KeyRefused


def test_the_adapters_that_come_with_the_program_are_found():
    assert {"fal", "mock"} <= {provider.name for provider in registry.PROVIDERS}


def test_the_environment_moves_a_provider():
    fal = registry.provider("fal", environ={"FAL_BASE_URL": "http://127.0.0.1:8901/"})

    assert fal.base_url == "http://127.0.0.1:8901"
    assert fal.rest_url == "http://127.0.0.1:8901"
    assert fal.is_own("http://127.0.0.1:8901/a")
    assert not fal.is_own("http://127.0.0.1:89010/a")
    assert not fal.is_own("http://127.0.0.1:8901.evil.example/a")


def test_without_it_a_provider_is_at_its_vendor_s():
    fal = registry.provider("fal", environ={})

    assert (fal.base_url, fal.rest_url) == ("https://queue.fal.run", "https://rest.fal.ai")


def test_the_same_environment_gives_the_same_adapter():
    assert registry.provider("fal", environ={}) is registry.provider("fal", environ={})


def test_the_mock_takes_its_latency_from_the_environment():
    assert registry.provider("mock", environ={"ZAP_MOCK_LATENCY_S": "2.5"}).latency_s == 2.5


def test_an_unknown_provider_is_named_with_those_there_are():
    with pytest.raises(UnknownName, match=r"fal, .*mock"):
        registry.provider("nobody", environ={})


@pytest.mark.parametrize("environ", [{}, {"FAL_KEY": ""}, {"FAL_KEY": "  \n"}])
def test_a_missing_key_says_which_variable_to_set(environ):
    with pytest.raises(KeyRefused, match="FAL_KEY") as caught:
        registry.api_key("fal", environ=environ)

    assert caught.value.reason == "KEY_MISSING"


def test_a_key_is_taken_without_the_space_around_it():
    assert registry.api_key("fal", environ={"FAL_KEY": " id:secret\n"}) == "id:secret"


def test_the_mock_needs_no_key():
    assert registry.api_key("mock", environ={}) == ""


class Acme(Mock):
    name = "acme"
    key_variable = "ACME_KEY"
    key_extras = ("ACME_ORG", "ACME_PROJECT")


@pytest.fixture
def acme(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS.entries, "acme", Acme())


def test_what_belongs_to_a_key_goes_with_it_line_by_line(acme):
    environ = {"ACME_KEY": "k", "ACME_PROJECT": " p "}

    assert registry.key_variables("acme") == ("ACME_KEY", "ACME_ORG", "ACME_PROJECT")
    assert registry.api_key("acme", environ=environ) == "k\n\np"


def test_what_belongs_to_a_key_is_none(acme):
    with pytest.raises(KeyRefused):
        registry.api_key("acme", environ={"ACME_ORG": "o"})


def test_a_provider_that_needs_no_key_has_no_variables():
    assert registry.key_variables("mock") == ()


def test_a_provider_may_do_without_its_key(acme, monkeypatch):
    monkeypatch.setattr(Acme, "key_is_optional", True)

    assert registry.api_key("acme", environ={"ACME_ORG": "o"}) == ""
    assert registry.api_key("acme", environ={"ACME_KEY": "k"}) == "k\n\n"


def test_a_plan_asks_adapters_as_the_environment_sets_them_up(monkeypatch):
    monkeypatch.setenv("COMFYUI_BASE_URL", "http://gpu.internal:8188")
    configured = registry.Configured()

    assert configured.get("comfyui").base_url == "http://gpu.internal:8188"
    assert {one.name: one.base_url for one in configured}["comfyui"] == "http://gpu.internal:8188"
    assert "comfyui" in configured
    assert "nobody" not in configured
    with pytest.raises(UnknownName):
        configured.get("nobody")

"""What installed packages add, and what their faults cost: themselves."""

import textwrap

import pytest

from core.registry import LeftOut, Registry, UnknownName, load_installed
from providers.contract import Provider
from providers.registry import judge
from tests.plug_ins import install

GOOD = """
    from providers.adapters.mock import Mock
    from decimal import Decimal
    from datetime import date
    from providers.prices import Price

    class Acme(Mock):
        name = "acme"

    PROVIDER = Acme()
"""


def providers():
    return Registry("providers.adapters", "PROVIDER", judge=judge)


def plug_in(site, name, text):
    install(site, name, textwrap.dedent(text), {"providers.adapters": f"{name} = plugged_{name}:PROVIDER"})


def left_out_of(site, text, name="other"):
    """What becomes of a package with that text, beside one that is as it should be."""
    plug_in(site, "acme", GOOD)
    plug_in(site, name, text)
    registry = providers()
    assert "acme" in registry
    assert "fal" in registry
    (one,) = registry.left_out
    assert (one.package, one.name) == (f"{name} 1.0", name)
    return one.why


def test_what_an_installed_package_offers_is_there_beside_our_own(site):
    plug_in(site, "acme", GOOD)

    registry = providers()

    assert isinstance(registry.get("acme"), Provider)
    assert {"acme", "fal", "mock"} <= set(registry.entries)
    assert registry.left_out == ()


def test_a_module_that_needs_what_is_missing_is_left_out_by_name(site):
    assert left_out_of(site, "import a_library_of_theirs") == (
        "It needs a_library_of_theirs, which is missing or has changed."
    )


def test_a_module_that_breaks_does_not_show_what_it_said(site, caplog):
    why = left_out_of(site, "raise ValueError('my key is k-123')")

    assert why == "It broke while it was loaded: ValueError. The log says where."
    assert "plug-in=left-out" in caplog.text


def test_a_module_that_ends_the_process_ends_nothing(site):
    assert "SystemExit" in left_out_of(site, "import sys; sys.exit(3)")


def test_a_module_without_the_object_says_which_it_lacks(site):
    assert left_out_of(site, "ADAPTER = 1") == "Its module plugged_other has no PROVIDER."


@pytest.mark.parametrize("text", ["PROVIDER = 1", "from providers.adapters.mock import Mock; PROVIDER = Mock"])
def test_what_is_no_adapter_is_left_out(site, text):
    assert "no object of a class that is made from" in left_out_of(site, text)


def test_a_half_written_adapter_is_left_out(site):
    text = """
        from providers.contract import Provider
        class Half(Provider):
            name = "half"
        PROVIDER = Half()
    """

    assert "TypeError" in left_out_of(site, text)


@pytest.mark.parametrize("name", ["fal", "mock", "acme"])
def test_a_name_that_is_taken_stays_whose_it_was(site, name):
    why = left_out_of(site, GOOD.replace('"acme"', f'"{name}"'))

    assert why == f"Something else is called {name!r} already."
    assert type(providers().get("fal")).__module__ == "providers.adapters.fal"


@pytest.mark.parametrize("name", ["local", "Acme", "ac me", "a_b", "-a", "a--b", "a-", "", "7up"])
def test_a_name_that_no_provider_can_have_is_refused(site, name):
    assert "small letters" in left_out_of(site, GOOD.replace('name = "acme"', f"name = {name!r}"))


@pytest.mark.parametrize("prices", ["(1,)", "3", '(Price(provider="fal", model="m", unit="request", usd=Decimal(0), '
                                    'source="s", verified_at=date(2026, 1, 1)),)'])  # fmt: skip
def test_prices_that_are_not_its_own_keep_an_adapter_out(site, prices):
    text = GOOD.replace('"acme"', f'"other"\n        prices = {prices}')

    assert left_out_of(site, text)


@pytest.mark.parametrize("price", ['unit="dozen", usd=Decimal(1)', 'unit="second", usd=Decimal("NaN")',
                                   'unit="second", usd=Decimal(-1)'])  # fmt: skip
def test_a_price_that_is_none_keeps_an_adapter_out(site, price):
    line = f'(Price(provider="other", model="m", source="s", verified_at=date(2026, 1, 1), {price}),)'
    text = GOOD.replace('"acme"', f'"other"\n        prices = {line}')

    assert "ValueError" in left_out_of(site, text)


@pytest.mark.parametrize(
    "method",
    [
        "def listed_models(self): 1 / 0",
        "def default_model(self, capability): 1 / 0",
        "def __init__(self, *at): super().__init__(); at and 1 / 0",
    ],
)
def test_an_adapter_that_breaks_when_it_is_looked_at_is_left_out(site, monkeypatch, method):
    monkeypatch.setenv("OTHER_BASE_URL", "https://other.example")

    assert "ZeroDivisionError" in left_out_of(site, GOOD.replace('"acme"', f'"other"\n\n        {method}'))


def test_of_two_packages_with_one_name_the_first_by_its_own_name_is_taken(site):
    plug_in(site, "beta", GOOD)
    plug_in(site, "alpha", GOOD)

    registry = providers()

    assert type(registry.get("acme")).__module__ == "plugged_alpha"
    assert registry.left_out == (
        LeftOut(package="beta 1.0", name="beta", why="Something else is called 'acme' already."),
    )


def test_what_is_left_out_is_unknown_like_any_other_name(site):
    plug_in(site, "broken", "1 / 0")

    with pytest.raises(UnknownName):
        providers().get("broken")


def test_a_group_that_nobody_adds_to_is_empty():
    assert load_installed("nobody.adds.to.this", lambda name, entry: None) == ()

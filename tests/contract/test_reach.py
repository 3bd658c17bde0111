"""Whether a provider answers is found out without buying anything, and never holds anybody up."""

import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from config.local import BASE_DIR
from providers.adapters.comfyui import ComfyUI
from providers.adapters.fal import Fal
from providers.adapters.mock import Mock
from providers.adapters.openrouter import OpenRouter
from providers.reach import Reached, reach, reach_all
from tests.contract.cases import CASES, EMULATED

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(params=EMULATED)
def case(request, emulator):
    return CASES[request.param](emulator)


def ask(provider, key=""):
    return reach_all({"one": reach(provider, key=key)})["one"]


def test_without_a_key_any_answer_will_do(case):
    found = ask(case.provider)

    assert (found.answers, found.takes_key, found.code) == (True, None, None)
    assert case.desk.journal.submissions == []


def test_a_call_without_a_key_carries_nothing():
    call = next(reach(Fal(NOBODY), key=""))

    assert (call.method, call.url, dict(call.headers), call.json, call.body) == ("GET", NOBODY, {}, None, None)


def test_a_key_is_tried_where_there_is_one(case):
    found = ask(case.provider, case.key)

    assert (found.answers, found.takes_key) == (True, None if case.provider.name == "prodia" else True)
    assert case.desk.journal.submissions == []


def test_a_provider_that_refuses_the_key_is_there(case):
    found = ask(case.provider, "invalid")

    assert (found.answers, found.takes_key, found.code) == (True, False, "KEY_INVALID")


def test_a_provider_in_trouble_does_not_answer(case):
    case.desk.plan.add({"on": "*", "do": "status", "status": 500, "times": None})

    for key in ("", case.key):
        assert (ask(case.provider, key).answers, ask(case.provider, key).code) == (False, "PROVIDER_UNAVAILABLE")


def test_a_provider_that_asks_us_to_slow_down_is_there(fal, emulator):
    fal.plan.add({"on": "*", "do": "status", "status": 429, "retry_after_s": 7, "times": None})

    found = ask(Fal(emulator.urls["fal"]), "id:secret")

    assert (found.answers, found.takes_key, found.code) == (True, None, "RATE_LIMITED")


def test_nobody_at_the_address_is_no_answer():
    found = ask(Fal(NOBODY), "id:secret")

    assert (found.answers, found.takes_key, found.code) == (False, None, "PROVIDER_UNAVAILABLE")


def test_an_address_that_the_guard_refuses_is_not_asked(monkeypatch):
    monkeypatch.setattr(OpenRouter, "default_base_url", "https://10.0.0.1/api/v1")

    assert ask(OpenRouter(), "secret").code == "ADDRESS_REFUSED"
    assert ask(OpenRouter()).answers is False


@pytest.mark.parametrize("provider", [Mock(), ComfyUI()])
def test_a_provider_without_an_address_is_not_asked(provider):
    assert replace(ask(provider), took_ms=0) == Reached(answers=None)


def test_a_machine_of_the_operator_s_is_asked_without_a_key_too(emulator):
    found = ask(ComfyUI(emulator.urls["comfyui"]))

    assert (found.answers, found.takes_key) == (True, None)
    assert emulator.desks["comfyui"].journal.calls == {"stats 200": 1}


def test_an_adapter_that_breaks_hides_no_other_and_tells_no_key(caplog):
    class Broken(Mock):
        default_base_url = NOBODY

        def check_key(self, *, key):
            raise ValueError(key)
            yield

    talks = {"broken": reach(Broken(), key="do-not-show"), "mock": reach(Mock(), key="")}

    found = reach_all(talks)

    assert (found["broken"].answers, found["broken"].code, found["mock"].code) == (None, "PROVIDER_FAILED", None)
    assert "ValueError" in caplog.text
    assert "do-not-show" not in caplog.text + repr(found)


def test_all_are_asked_at_once():
    together = threading.Barrier(8, timeout=10)

    def wait():
        together.wait()
        return Reached(answers=True)
        yield

    found = reach_all({str(number): wait() for number in range(8)})

    assert all(one.answers for one in found.values())


def test_whoever_is_silent_holds_nobody_up():
    released = threading.Event()

    def hang():
        released.wait(30)
        return Reached(answers=True)
        yield

    try:
        found = reach_all({"silent": hang()}, within_s=0.01)["silent"]
    finally:
        released.set()

    assert (found.answers, found.code) == (False, "PROVIDER_UNAVAILABLE")


def test_whoever_is_silent_holds_up_no_process_that_ends():
    asks = """
import threading
from providers.reach import reach_all

def hang():
    threading.Event().wait()
    yield

print(reach_all({"silent": hang()}, within_s=0.01)["silent"].answers)
"""
    assert subprocess.check_output([sys.executable, "-c", asks], cwd=BASE_DIR, text=True, timeout=60) == "False\n"


def test_nobody_to_ask_is_no_trouble():
    assert reach_all({}) == {}

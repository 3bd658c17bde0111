"""The example front end in real Chromium: another origin than the server, the generated client, the event stream."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.caller import Scope
from accounts.tokens import create_token
from clients.node import FRONTEND
from runs.models import Run
from tests.browser import Browser, needs_chromium
from tests.e2e.test_pages import faults
from tests.integration.people import make_user
from tests.node import needs_node, npm
from tests.processes import wait_until
from zaps.catalogue import Entry, publish

pytestmark = [needs_chromium, needs_node]
ROOT = Path(__file__).parents[2]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def page():
    """Where the front end, freshly built, is served: another origin than the service's."""
    npm(FRONTEND, "build")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=FRONTEND / "dist"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def key(stack, page):
    """Anna's key for the service, which is at work and lets the front end's origin in."""
    stack.environment["ZAP_CORS_ORIGINS"] = page
    call_command("load_recipes", verbosity=0)
    publish(Entry(source=(ROOT / "examples/gate/Zap.md").read_text("utf-8"), visibility="public"), author=None)
    stack.start("worker", "drain", "beat", "web")
    return create_token(make_user("anna"), "desk", (Scope.READ, Scope.RUN))[1]


@pytest.fixture
def window():
    """`window(dark=True)` opens a browser; every one is closed at the end."""
    opened = []

    def begin(**look):
        opened.append(Browser(**look))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def sign_in(browser, page, stack, key):
    browser.open(page)
    browser.run("document.querySelector('#server').value = arguments[0]", stack.address)
    browser.type("#key", key)
    browser.click("main button")
    browser.see("#account", "anna")


def test_a_person_orders_a_film_decides_and_sees_it(window, page, stack, key):
    browser = window()
    sign_in(browser, page, stack, key)
    found = faults(browser)

    browser.type("#query", "carnival mask")
    browser.see("#recipes", "Nothing")
    browser.run("document.querySelector('#query').value = ''")
    browser.type("#query", "animal")
    wait_until(lambda: browser.count("#recipes article") == 1)
    browser.click("#recipes a")
    browser.type("#input-ANIMAL", "a heron")
    browser.see("#plan .price", "$")
    found += faults(browser)
    browser.click("#order button.main")
    browser.see("#now", "Needs you")
    wait_until(
        lambda: (
            browser.run("return [...document.querySelectorAll('figure img')].filter(i => i.naturalWidth).length") == 2
        )
    )
    found += faults(browser)
    browser.run("window.isTheSamePage = true")
    browser.click("figure:nth-of-type(2) button[data-verb=approve]")
    browser.see("#film video")

    assert browser.run("return window.isTheSamePage")
    assert browser.text("#now") == "Done"
    assert Run.objects.get().owner.username == "anna"
    browser.run("const film = document.querySelector('#film video'); film.muted = true; return film.play()")
    wait_until(lambda: browser.run("return document.querySelector('#film video').currentTime") > 0.2)
    assert browser.complaints() == []
    assert found == []


def test_a_run_is_canceled_and_made_to_go_on(window, page, stack, key):
    browser = window(dark=True, width=390, height=844)
    sign_in(browser, page, stack, key)
    browser.open(f"{page}/#/recipes/gate")
    browser.type("#input-ANIMAL", "a fox")
    browser.click("#order button.main")
    browser.see("#now", "Needs you")

    browser.click("button[data-verb=cancel]")
    browser.see("#now", "Canceled")
    browser.click("button[data-verb=resume]")
    browser.see("#now", "Needs you")

    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert faults(browser) == []
    browser.click("#account button")
    browser.see("h1", "Make a film")
    browser.type("#key", "zap_wrong")
    browser.run("document.querySelector('#server').value = arguments[0]", stack.address)
    browser.click("main button")
    browser.see(".problem", "unknown, expired or revoked")

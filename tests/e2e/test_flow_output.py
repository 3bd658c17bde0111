"""A run's page in the admin follows what its step writes, in real Chromium."""

import os
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from flows import claims, output, results
from flows.models import FlowRun
from tests.browser import Browser, needs_chromium
from tests.integration.flows.making import dispatch, step, sync

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]
EVIL = "<img src=x onerror='window.isBroken = true'><script>window.isBroken = true</script>\n"


@pytest.fixture
def window(stack):
    """`window(run_id, dark=True, width=390)`: a browser of an operator at the page of that run."""
    stack.start("web")
    operator = Client()
    operator.force_login(get_user_model().objects.create_superuser("op", password="x"))
    cookie = operator.cookies["sessionid"].value
    opened = []

    def begin(run_id, **look):
        browser = Browser(**look)
        opened.append(browser)
        browser.command("Network.setCookie", name="sessionid", value=cookie, url=stack.address)
        browser.open(
            stack.address + reverse("admin:flows_flowrun_change", args=[FlowRun.objects.get(run_id=run_id).pk])
        )
        return browser

    yield begin
    for browser in opened:
        browser.close()


@pytest.fixture
def lease():
    sync("ci", step(maxAttempts=2, retryOnFail=True, backoffMs=0))
    dispatch(at=None)
    return take()


def take():
    (lease,) = claims.claim("w1", lasts_ms=1_800_000)
    return lease


def write(lease, first, *texts, kind="stdout"):
    pieces = [{"seq": first + place, "kind": kind, "text": text} for place, text in enumerate(texts)]
    output.append(lease.attempt_id, lease.token, pieces)


def shown(browser):
    return browser.run("return document.querySelector('.flow-output').textContent")


def picture(browser, name):
    """For eyes: `FLOW_PICTURES=/some/folder` keeps what the tests saw."""
    if folder := os.environ.get("FLOW_PICTURES"):
        browser.picture(Path(folder) / f"{name}.png")


def test_output_appears_as_it_is_written_and_the_page_says_when_the_run_has_ended(window, lease):
    write(lease, 1, "compiling\n")
    browser = window(lease.run_id)
    browser.see("[role=status]", "Follows the output.")
    browser.run("window.isTheSamePage = true")

    write(lease, 2, "linking\n", EVIL)
    write(lease, 4, "careful\n", kind="stderr")
    browser.see(".flow-output", "careful")
    picture(browser, "running")
    results.complete(lease.attempt_id, lease.token, {"status": "completed"})
    browser.see("[role=status]", "The run has ended")

    assert shown(browser) == f"compiling\nlinking\n{EVIL}careful\n"
    assert browser.text(".flow-stderr").strip() == "careful"
    assert browser.run("return [window.isTheSamePage, window.isBroken ?? false]") == [True, False]
    assert browser.complaints() == []


def test_a_second_attempt_is_told_apart_in_the_page_and_after_it(window, lease):
    write(lease, 1, "one\n")
    results.fail(lease.attempt_id, lease.token, "no")
    browser = window(lease.run_id)
    browser.see("[role=status]", "Follows")

    second = take()
    write(second, 1, "two\n")
    browser.see(".flow-mark", "attempt 2")
    assert shown(browser) == "one\nattempt 2\ntwo\n"
    results.cancel(second.run_id)
    browser.see("[role=status]", "The run has ended")
    browser.reload()
    browser.see("[role=status]")

    assert shown(browser) == "one\nattempt 2\ntwo\n"
    assert browser.count(".zap-badge.zap-calm") == 2  # the run, and its last attempt


def test_what_was_written_while_the_line_was_down_is_shown_once_it_is_back(window, lease):
    browser = window(lease.run_id)
    browser.see("[role=status]", "Follows")
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

    browser.command("Network.enable")
    browser.command("Network.emulateNetworkConditions", offline=True, **offline)
    browser.see("[role=status]", "does not answer")
    write(lease, 1, "unseen\n")
    browser.command("Network.emulateNetworkConditions", offline=False, **offline)
    browser.see(".flow-output", "unseen")

    assert browser.text("[role=status]") == "Follows the output."


ASKS = """
window.asks = [];
const ask = window.fetch, plan = window.setTimeout;
window.fetch = (...given) => { window.asks.push("asked"); return ask(...given); };
window.setTimeout = (work, ...given) => {
  if (work.name === "look") window.asks.push("planned");
  return plan(work, ...given);
};
"""


def test_a_page_whose_reader_lost_the_right_says_why_and_asks_no_more(window, lease):
    browser, people = window(lease.run_id), get_user_model().objects

    def told_after(change):
        browser.see("[role=status]", "Follows")
        browser.run(ASKS)
        change()
        browser.see("[role=status]", ";")
        return browser.text("[role=status]"), browser.run("return window.asks.at(-1)")

    demoted = told_after(lambda: people.update(is_staff=False))
    people.update(is_staff=True)
    browser.run("location.reload()")
    closed = told_after(lambda: people.update(is_active=False))

    assert demoted == ("This account may not follow the output; load the page again to see more.", "asked")
    assert closed == ("You are logged out; log in and load the page again to see more.", "asked")


def test_a_page_says_that_its_run_has_been_deleted(window, lease):
    browser = window(lease.run_id)
    browser.see("[role=status]", "Follows")

    FlowRun.objects.all().delete()

    browser.see("[role=status]", "The run has been deleted.")


def test_ten_thousand_lines_leave_the_page_quick_and_at_its_end(window, lease):
    browser = window(lease.run_id)
    browser.see("[role=status]", "Follows")
    lines = [f"{'x' * 100} {number}\n" for number in range(20_000)]

    for place in range(20):
        write(lease, 1 + place * 500, *["".join(lines[n : n + 2]) for n in range(place * 1000, place * 1000 + 1000, 2)])
    browser.see(".flow-output", " 19999")

    assert shown(browser).endswith("".join(lines[-1000:]))
    assert len(shown(browser)) <= 1_000_000
    assert (
        browser.run(
            "const it = document.querySelector('.flow-output'); return it.scrollHeight - it.scrollTop - it.clientHeight"
        )
        < 10
    )
    # Who reads further up is left there.
    browser.run("document.querySelector('.flow-output').scrollTop = 0")
    write(lease, 10_001, "and one more\n")
    browser.see(".flow-output", "and one more")
    assert browser.run("return document.querySelector('.flow-output').scrollTop") == 0


@pytest.mark.parametrize(("look", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_the_page_can_be_read_in_any_light_and_on_a_phone(window, lease, look, width):
    write(lease, 1, "compiling with a line that is rather long for a phone " * 3 + "\n")
    write(lease, 2, "a complaint\n", kind="stderr")
    write(lease, 3, "the worker says\n", kind="system")
    write(lease, 4, "an agent says\n", kind="agent")
    browser = window(lease.run_id, dark=look == "dark", width=width)
    browser.see("[role=status]", "Follows")
    picture(browser, f"{look}-{width}")

    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    for kind in ("stdout", "stderr", "system", "agent"):
        assert browser.run(CONTRAST, f".flow-{kind}") >= 4.5, kind


CONTRAST = """
const one = document.querySelector(arguments[0]);
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const light = (colour) => {
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => {
    const part = c / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const both = [light(getComputedStyle(one).color), light(getComputedStyle(one.closest("pre")).backgroundColor)].sort();
return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
"""

"""An author in real Chromium: a text that is not lost, a run that others are shown, and the account."""

from runs.models import Run
from tests.browser import needs_chromium
from tests.e2e.pages import faults, sign_in
from tests.processes import wait_until
from zaps.models import Zap

pytestmark = needs_chromium


def begin(browser, service):
    """A rehearsal of the smallest recipe; its page's path."""
    browser.open(f"{service}/zaps/lost-sock")
    browser.type("#input-SOCK", "argyle")
    browser.run("document.querySelector('#input-LAST_SEEN').selectedIndex = 1")
    browser.click("#order button.main")
    browser.see("#now")
    return browser.path


def test_a_text_that_nobody_kept_is_back_after_a_reload(window, service):
    browser = window()
    sign_in(browser)
    browser.open(f"{service}/studio")
    browser.run("""
        const text = studio.elements.source, name = 'prompt: A portrait of {WHO} in soft morning light.';
        text.value = text.value.replace(name, 'prompt: prompts/portrait.md');
        text.focus();
        text.setSelectionRange(text.value.length, text.value.length);
    """)
    browser.press("!")
    browser.see("#found", "1 thing to mend")

    browser.click(".errors button")
    browser.see("#prompt-1")
    assert browser.run("return document.activeElement.name") == "prompt.prompts/portrait.md"
    browser.press(*"A portrait of WHO.")
    browser.open(f"{service}/runs")
    browser.open(f"{service}/studio")

    browser.see(".notice", "is back")
    browser.see("#prompt-1")
    assert browser.run("return document.querySelector('#prompt-1').value") == "A portrait of WHO."
    assert browser.run("return studio.elements.source.value").endswith("!")
    browser.click(".notice button")
    browser.see("#found", "Nothing is wrong")
    wait_until(lambda: not browser.count(".notice"))
    assert not browser.run("return studio.elements.source.value").strip().endswith("!")
    assert browser.complaints() == []


def test_the_line_of_the_caret_says_what_is_wrong_in_it(window, service):
    browser = window()
    sign_in(browser)
    browser.open(f"{service}/studio")
    browser.run("""
        const text = studio.elements.source;
        text.value = text.value.replace('video.gen\\n', 'vide.gen\\n');
        const at = text.value.indexOf('vide.gen');
        text.focus();
        text.setSelectionRange(at, at);
    """)
    browser.press("Space")

    browser.see("#caret", "cannot be")
    assert browser.text("#caret").startswith("Line 30, ")
    assert browser.text(".lines .here") == "30"
    assert faults(browser) == []


def test_a_draft_is_kept_opened_again_and_published(window, service):
    browser = window()
    sign_in(browser)
    browser.open(f"{service}/studio")
    browser.click("#studio button.main")
    browser.see("h1", "My first film")

    browser.click("a[href='/studio?edit=my-first-film']")
    browser.see("#found", "Nothing is wrong")
    browser.run("studio.elements.source.setSelectionRange(9999, 9999); studio.elements.source.focus()")
    browser.press(*"More.")
    browser.click("#studio button[value=draft]")
    browser.see(".notice", "Others run version 1")
    browser.click("#studio button.main")
    browser.see("h1", "My first film")

    zap = Zap.objects.get(slug="my-first-film")
    assert (zap.version, zap.status, zap.source.strip().endswith("More.")) == (2, "published", True)


def test_my_runs_move_while_a_run_is_made(window, service):
    watching, making = window(), window()
    for browser in (watching, making):
        browser.open(f"{service}/")
        sign_in(browser)
    watching.open(f"{service}/runs")
    watching.run("window.isTheSamePage = true")

    begin(making, service)

    watching.see(".card .state", "Done")
    assert watching.run("return window.isTheSamePage")
    wait_until(lambda: watching.run("return document.querySelector('.card img').naturalWidth") > 0)
    assert watching.complaints() == []


def test_a_guest_sees_the_shared_run_and_nothing_else(window, service, stack):
    owner, guest = window(), window(width=390, height=844)
    sign_in(owner)
    run = begin(owner, service)
    owner.see("#now", "Done")
    owner.click("button[formaction$='/share']")
    owner.see("#share-address")
    address = owner.run("return document.querySelector('#share-address').value")

    guest.open(address)

    guest.see("#now", "Done")
    wait_until(lambda: guest.run("return document.querySelector('.film img').naturalWidth") > 0)
    assert guest.count("#run button") == 0
    assert faults(guest) == []
    guest.open(f"{service}{run}")
    guest.see("main", "There is no run")
    assert Run.objects.count() == 1


def test_somebody_with_a_keyboard_alone_branches_a_run_off_and_makes_a_key(window, service):
    browser = window()
    sign_in(browser)
    run = begin(browser, service)
    browser.see("#now", "Done")

    browser.tab_to(f"a[href='{run}/fork']")
    browser.press("Enter")
    browser.see("h1", "Branch off")
    browser.tab_to("#input-SOCK")
    browser.press(*" and proud")
    browser.tab_to("#order button.main")
    browser.press("Enter")
    browser.see("#now", "Done")
    assert browser.path != run

    browser.tab_to("a[href='/account']", at_most=400)
    browser.press("Enter")
    browser.see("#keys")
    browser.tab_to("#key-name")
    browser.press(*"laptop")
    browser.tab_to("#keys details button.main")
    browser.press("Enter")
    browser.see("#new-key")
    assert browser.complaints() == []

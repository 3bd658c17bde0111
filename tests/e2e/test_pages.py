"""A person at the pages, in real Chromium, with real workers: from the gallery to a playing film."""

from media.mock import mock_media
from runs.models import Run, Upload
from tests.browser import needs_chromium
from tests.e2e.conftest import ROOT
from tests.e2e.pages import faults, sign_in
from tests.processes import wait_until
from zaps.catalogue import Entry, publish

pytestmark = needs_chromium


def test_a_person_goes_from_the_gallery_to_a_playing_film(window):
    browser = window()
    sign_in(browser)

    browser.type("#query", "creature sea")
    browser.press("Enter")
    browser.see(".found", "Recipes for")
    browser.click(".card a")
    browser.type("#input-CREATURE", "a newt in a bowler hat")
    browser.see(".price", "for the first tries")
    browser.click("#order button.main")
    browser.see("#now")
    browser.run("window.isTheSamePage = true")
    browser.see(".film video")

    assert browser.run("return window.isTheSamePage")
    assert browser.text("#now") == "Done"
    assert Run.objects.get().owner.username == "anna"
    browser.run("const film = document.querySelector('.film video'); film.muted = true; return film.play()")
    wait_until(lambda: browser.run("return document.querySelector('.film video').currentTime") > 0.2)
    assert browser.complaints() == []


def test_somebody_with_a_keyboard_alone_begins_a_run_and_decides_at_its_gate(window):
    browser = window()

    wait_until(lambda: browser.press("Tab") or browser.run("return document.activeElement !== document.body"))
    assert browser.run("return document.activeElement.className") == "skip"
    browser.tab_to("a[href='/zaps/gate']")
    browser.press("Enter")
    browser.see("#order")
    browser.tab_to("#input-ANIMAL")
    browser.press("a heron")
    browser.tab_to("#order button.main")
    browser.press("Enter")
    browser.see("#now", "Needs you")
    browser.tab_to(".choices li:nth-child(2) button")
    picked = browser.run("return document.activeElement.form.elements.assetId.value")
    browser.press("Enter")

    browser.see(".film video")
    chosen = Run.objects.get().steps.get(step_id="mask").chosen
    assert chosen.assets.get().asset_id == picked
    assert browser.complaints() == []


def test_an_author_sees_what_is_wrong_at_its_line_and_publishes(window):
    browser = window()
    sign_in(browser)
    browser.click("a[href='/studio']")
    browser.see("#found", "Nothing is wrong")

    browser.run(
        "const { source } = studio.elements; source.value = source.value.replace('video.gen\\n', 'vide.gen\\n')"
    )
    browser.type("#source", "\n")

    browser.see("#found", "1 thing to mend")
    assert browser.text(".lines .wrong") == "30"
    browser.click(".errors a")
    assert browser.run("return document.activeElement.id") == "source"
    browser.press("End", "Left", "Left", "Left", "Left", "o")
    browser.see("#found", "Nothing is wrong")
    browser.click("#studio button.main")
    browser.see("h1", "My first film")
    assert browser.complaints() == []


def test_a_picture_is_shown_and_sent_before_the_run_begins(window, service, tmp_path):
    text = (ROOT / "examples/gate/Zap.md").read_text("utf-8")
    text = text.replace("ANIMAL: {type: string", "ANIMAL: {type: image").replace("zap: gate", "zap: from-a-picture")
    publish(Entry(source=text.replace("{ANIMAL}", "the animal"), visibility="public"), author=None)
    picture = tmp_path / "heron.png"
    picture.write_bytes(mock_media("png", seed="heron", label="A heron"))
    browser = window()
    browser.open(f"{service}/zaps/from-a-picture")

    browser.type("zap-upload input[type=file]", str(picture))

    browser.see("zap-upload .facts", "heron.png is ready.")
    upload = Upload.objects.get()
    assert browser.run("return document.getElementById('input-ANIMAL').value") == f"upload:{upload.upload_id}"
    assert browser.run("return document.querySelector('zap-upload img').naturalWidth") > 0
    assert browser.complaints() == []


def test_no_page_keeps_anybody_out(window, service):
    browser = window()
    browser.open(f"{service}/zaps/gate")
    browser.type("#input-ANIMAL", "a heron")
    browser.click("#order button.main")
    browser.see("#now", "Needs you")
    run, found = browser.path, faults(browser)
    browser.click(".choices button")
    browser.see(".film video")

    browser.open(f"{service}/")
    sign_in(browser)
    for path in ("/studio", "/studio?from=lost-sock", "/zaps/lost-sock/versions", "/account", "/runs"):
        browser.open(f"{service}{path}")
        found += faults(browser)
    for look in ({}, {"dark": True}, {"width": 390, "height": 844}):
        browser = window(**look)
        for path in ("/", "/zaps/museum-of-mondays", "/sign-in", "/runs", "/nowhere", run, f"{run}/fork"):
            browser.open(f"{service}{path}")
            found += faults(browser)
            assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"

    assert found == []


def test_axe_is_really_asked(window):
    browser = window()
    browser.run(
        "document.querySelector('#query').removeAttribute('id'); document.querySelector('h1').style.color = '#eee'"
    )

    assert {fault.split()[1].rstrip(":") for fault in faults(browser)} >= {"color-contrast"}

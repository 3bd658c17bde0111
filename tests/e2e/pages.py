"""What a person at the pages does in many tests, and what axe thinks of what they see."""

from importlib.resources import files

AXE = (files("axe_core_python") / "axe.min.js").read_text("utf-8")
WRONG = ("serious", "critical")


def sign_in(browser):
    browser.click("a[href='/sign-in']")
    browser.type("#id_username", "anna")
    browser.type("#id_password", "x")
    browser.click("main button")
    browser.see(".name", "anna")


def faults(browser):
    """What axe finds on the page that keeps people out, as one line each."""
    found = browser.run(f"{AXE}; return axe.run(document, {{resultTypes: ['violations']}})")["violations"]
    return [
        f"{browser.path} {one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in WRONG
        for node in one["nodes"]
    ]

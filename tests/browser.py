"""Chromium, driven over the WebDriver protocol by Debian's own chromedriver."""

import base64
import shutil
import subprocess
import time

import pytest
import requests

from tests.processes import PATIENCE_S, free_port, get, wait_until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and chromedriver are not installed")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Space": " ", "Escape": "\ue00c", "End": "\ue010", "Left": "\ue012"}


class Browser:
    """One window. Elements are found by CSS, and waited for: a page needs a moment."""

    def __init__(self, *, width=1280, height=900, dark=False):
        port = free_port()
        self._driver = subprocess.Popen(
            [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._base = f"http://127.0.0.1:{port}"
        self._http = requests.Session()
        wait_until(lambda: get(f"{self._base}/status")[0] == 200)
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--window-size={width},{height}",
        ]
        options = {"binary": CHROMIUM, "args": flags}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        self._session = self._say("POST", "/session", {"capabilities": wanted})["sessionId"]
        self._base += f"/session/{self._session}"
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        look = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setEmulatedMedia", features=look)

    def close(self):
        """End the window and the driver."""
        try:
            self._say("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(timeout=20)

    def open(self, url):
        """Go there, and wait until it is loaded and drawn: before that Chromium lets keys fall."""
        self._say("POST", "/url", {"url": url})
        self.run("return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn())))")

    def reload(self):
        """The same page anew, once it is loaded."""
        self._say("POST", "/refresh", {})

    @property
    def path(self):
        """Where the window is, without the host."""
        return "/" + self._say("GET", "/url").split("/", 3)[3]

    def run(self, script, *arguments):
        """What a script returns; a promise is waited for."""
        return self._say("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, css):
        """The words that the first such element shows."""
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def count(self, css):
        """How many there are."""
        return self.run("return document.querySelectorAll(arguments[0]).length", css)

    def see(self, css, words="", *, within_s=PATIENCE_S):
        """Wait until such an element is shown with these words in it."""
        wait_until(lambda: self.count(css) and words in self.text(css), within_s=within_s)

    def click(self, css):
        """A real click in the middle of the first such element."""
        self._do(css, "click", {})

    def type(self, css, text):
        """Real key strokes into it."""
        self._do(css, "value", {"text": text})

    def press(self, *names):
        """Keys, one after the other, to whatever has the focus: Tab, Enter, Space, Escape, or letters."""
        strokes = [
            {"type": kind, "value": key}
            for name in names
            for key in ([_KEYS[name]] if name in _KEYS else name)
            for kind in ("keyDown", "keyUp")
        ]
        self._say("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": strokes}]})

    def tab_to(self, css, *, at_most=80):
        """Walk by the Tab key until it has the focus, as somebody without a mouse does."""
        for _ in range(at_most):
            if self.run("return document.activeElement?.matches(arguments[0])", css):
                return
            self.press("Tab")
        raise AssertionError(f"{at_most} strokes of Tab do not reach {css}.")

    def picture(self, path, *, whole=True):
        """A screenshot; `whole`: of the whole page."""
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the page wrote to its console as an error: broken scripts, refused loads."""
        return [one["message"] for one in self._say("POST", "/se/log", {"type": "browser"}) if one["level"] == "SEVERE"]

    def command(self, name, /, **given):
        """One of Chromium's own commands."""
        return self._say("POST", "/goog/cdp/execute", {"cmd": name, "params": given})

    def _find(self, css):
        end = time.monotonic() + PATIENCE_S
        while True:
            found = self._http.post(f"{self._base}/element", json={"using": "css selector", "value": css}, timeout=60)
            if found.status_code == 200:
                return found.json()["value"][_ELEMENT]
            assert time.monotonic() < end, f"There is no {css} at {self.path}."

    def _do(self, css, verb, body):
        while True:
            try:
                return self._say("POST", f"/element/{self._find(css)}/{verb}", body)
            except AssertionError as exc:  # the page drew it anew since it was found
                if "stale element reference" not in str(exc):
                    raise

    def _say(self, method, path, body=None):
        answer = self._http.request(method, f"{self._base}{path}", json=body, timeout=120)
        value = answer.json()["value"]
        assert answer.status_code == 200, f"{value.get('error')}: {value.get('message', '')[:400]}"
        return value

"""Headless Chromium for the tests of the page: opens a file, emulates a screen, hands on what its console says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "no chromium with chromedriver on this machine (Debian: chromium, chromium-driver)"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip

_ALL = "[...document.querySelectorAll(arguments[0])]"


class Browser:
    """One tab."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, *, width: int = 1280, height: int = 900, is_dark: bool = False) -> None:
        """Open a page on a screen of a size, light or dark."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(page.resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """What a piece of JavaScript, run in the page, gives back."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a CSS selector finds."""
        found: list[str] = self.run(f"return {_ALL}.map((each) => each.textContent)", selector)
        return found

    def text(self, selector: str) -> str:
        """The text of the first."""
        return self.texts(selector)[0]

    def count(self, selector: str) -> int:
        """How many there are."""
        return int(self.run(f"return {_ALL}.length", selector))

    def set(self, selector: str, value: object, event: str) -> None:
        """Give the first control a value, as a hand would, and tell it."""
        script = "const it = document.querySelector(arguments[0]); it.value = arguments[1];"
        self.run(f"{script} it.dispatchEvent(new Event(arguments[2]))", selector, value, event)

    def press(self, selector: str, *names: str) -> None:
        """Focus the first and press keys, e.g. `ARROW_LEFT`."""
        from selenium.webdriver.common.keys import Keys

        element = self.driver.find_element("css selector", selector)
        for name in names:
            element.send_keys(getattr(Keys, name))

    def middle(self, selector: str) -> tuple[float, float]:
        """Where in the window the first is, brought into view."""
        script = """const it = document.querySelector(arguments[0]);
        it.scrollIntoView({block: "center"});
        const box = it.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];"""
        x, y = self.run(script, selector)
        return x, y

    def open_folds(self) -> None:
        """Open whatever is folded."""
        self.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")

    def console(self) -> list[str]:
        """All that the console said since it was last asked, but for plain talk."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]

    def move(self, x: float, y: float, kind: str = "mouseMoved") -> None:
        """Put the mouse at a place of the window."""
        event = {"type": kind, "x": x, "y": y, "button": "none" if kind == "mouseMoved" else "left", "clickCount": 1}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        self.move(x, y)
        self.move(x, y, "mousePressed")
        self.move(x, y, "mouseReleased")

    def picture(self, place: Path) -> None:
        """The whole page as a PNG."""
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return innerWidth")
        screen = {"width": width, "height": min(height, 12000), "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.save_screenshot(str(place))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, which is closed and deleted at the end."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))  # a given driver: nothing is fetched
        try:
            yield Browser(driver)
        finally:
            driver.quit()

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
)  # fmt: skip


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

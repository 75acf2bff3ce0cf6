"""An installed Chromium, and a page in a tab of its own that notes what a page should never do."""

import contextlib
import os
import shutil

import pytest

VARIABLE = "PERWATT_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _found():
    """Return the browser to drive, and why there is none where there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return (named, "") if shutil.which(named) else (None, f"{VARIABLE} names {named}, which is not there")
    path = next((path for name in NAMES if (path := shutil.which(name))), None)
    return path, "" if path else f"no Chromium: none of {', '.join(NAMES)} on the PATH, {VARIABLE} is not set"


@contextlib.contextmanager
def chromium():
    """Run the browser; without one the test is skipped with the reason."""
    path, why = _found()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as missing:
        path, why = None, f"no browser driver: {missing}"
    if path is None:
        if "browser" in os.environ.get("PERWATT_REQUIRE", "").split(","):
            pytest.fail(f"PERWATT_REQUIRE=browser: {why}", pytrace=False)
        pytest.skip(why)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # a sandbox of Chromium's own refuses root
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


class Opened:
    """A page in a tab of its own that notes what a page should never do."""

    def __init__(self, browser, page, width=1280, scheme="light", **keys):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **keys)
        self.tab = self.context.new_page()
        self.asked, self.said, self.dialogs = [], [], []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.said.append(f"pageerror: {error}"))
        self.tab.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.uri = page if isinstance(page, str) else page.as_uri()
        self.tab.goto(self.uri)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def was_silent(self):
        """Return whether it asked for nothing but itself, said nothing and opened no dialog."""
        beyond = [url for url in self.asked if url != self.uri and not url.startswith("data:")]
        return (beyond, self.said, self.dialogs) == ([], [], [])

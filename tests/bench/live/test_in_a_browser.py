"""The page in a real browser: the figures of the log, moving with it, after a restart too, legible and accessible."""

import json
from pathlib import Path

import pytest
from doubles.browser import Opened, chromium
from doubles.live_page import row

ARTEFACTS = Path(__file__).resolve().parents[3] / "build" / "live-screenshots"
MEGAWATTS = ("plan_mw", "intent_mw", "meter_mw", "devices_mw")
MONEY = ("earned_usd", "would_have_earned_usd", "regret_usd")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")  # while it runs, no other test of the same process can run an event loop
def browser():
    with chromium() as running:
        yield running


def shows(page, wanted):
    """Wait until the page shows the figures of a row exactly."""
    figures = {name: wanted[name] for name in (*MEGAWATTS, "price_usd_per_mwh")} | wanted["money"] | wanted["states"]
    script = (
        "wanted => Object.entries(wanted).every(([id, value]) => document.getElementById(id).dataset.value === value)"
    )
    texts = {name: "" if value is None else json.dumps(value).removesuffix(".0") for name, value in figures.items()}
    page.tab.wait_for_function(script, arg=texts, timeout=20_000)


def test_the_page_shows_the_figures_of_the_log_and_moves_with_it(browser, serve, log):
    log.add(row(0))
    with Opened(browser, serve().uri) as page:
        shows(page, row(0))
        assert page.tab.locator("#plan_mw").inner_text() == "12.5"
        assert page.tab.locator("#devices_mw").inner_text() == "9.0625"
        assert page.tab.locator("#regret_usd").inner_text() == "20.75"
        assert page.tab.locator("#target_mw").inner_text() == "not known"
        log.add(row(1, meter_mw=None, mode="halted", mode_reason="the feeder does not follow"))
        shows(page, row(1, meter_mw=None))
        assert page.tab.locator("#meter_mw").inner_text() == "not known"
        assert page.tab.locator("#mode").inner_text().endswith("Reason: the feeder does not follow")
        assert page.tab.locator("#units tr").all_inner_texts() == ["m7\tunknown\tnot known\toff\tstale_telemetry"]
        assert page.tab.locator("#faults li").count() == 1
        assert page.tab.locator("#reasons li").all_inner_texts() == ["power costs more than its work is worth"]
        assert page.tab.locator("#chart polyline").count() == 4
        beyond = [url for url in page.asked if not url.startswith((page.uri, "data:"))]
        assert (beyond, page.said, page.dialogs) == ([], [], [])


@pytest.mark.parametrize(
    ("changes", "banner"),
    [
        ({"mode": "armed", "simulated": False}, "Armed."),
        ({"mode": "shadow", "simulated": True}, "Shadow."),
        ({"mode": "live", "simulated": None}, "The log does not say"),
    ],
)
def test_the_banner_says_what_the_controller_may_do_and_whether_it_is_simulated(browser, serve, log, changes, banner):
    log.add(row(0, **changes))
    with Opened(browser, serve().uri) as page:
        shows(page, row(0))
        assert page.tab.locator("#mode").inner_text().startswith(banner)
        assert page.tab.locator("#simulated").is_visible() is (changes["simulated"] is not False)


def test_it_connects_again_after_the_server_was_started_again(browser, serve, log):
    log.add(row(0))
    first = serve()
    with Opened(browser, first.uri) as page:
        shows(page, row(0))
        first.close()
        page.tab.locator("#line.late").wait_for(timeout=20_000)
        assert "The server does not answer; the figures are old." in page.tab.locator("#line").inner_text()
        log.add(row(1), row(2))
        serve(port=first.port)
        shows(page, row(2))
        page.tab.locator("#line.note").wait_for(timeout=20_000)
        assert page.tab.locator("#chart-line").inner_text().startswith("The last 3 cycles")


def test_markup_in_the_log_is_shown_as_text(browser, serve, log):
    markup = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    unit = dict.fromkeys(("unit", "state", "level", "intent", "reason"), markup)
    log.add(row(0, site=markup, mode_reason=markup, faults=[markup], not_as_intended=[unit]))
    with Opened(browser, serve().uri) as page:
        shows(page, row(0))
        assert page.tab.locator("#site").inner_text() == markup
        assert page.tab.locator("img").count() == 0
        assert page.tab.locator("script").count() == 1
        assert (page.said, page.dialogs) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_is_legible_and_accessible_on_a_phone_and_on_a_desk(browser, serve, log, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    units = [
        {"unit": f"m{at}", "state": "unknown", "level": None, "intent": "on", "reason": "late"} for at in range(150)
    ]
    log.add(*(row(tick, not_as_intended=units) for tick in range(60)))
    with Opened(browser, serve().uri, width, scheme) as page:
        shows(page, row(59))
        page.tab.screenshot(path=ARTEFACTS / f"{width}-{scheme}.png", full_page=True)
        assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"
        assert page.tab.locator("#units tr").count() == 100
        assert page.tab.locator("#units-line").inner_text() == "Not as intended: 150; the first 100 are listed"
        violations = axe.Axe().run(page.tab).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []


def test_without_javascript_it_says_what_it_needs(browser, serve):
    with Opened(browser, serve().uri, java_script_enabled=False) as page:
        assert "needs JavaScript" in page.tab.locator("main").inner_text()

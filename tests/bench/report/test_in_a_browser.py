"""The page in a real browser, from the file system: silent, alone, sortable, legible in each width and scheme."""

import subprocess
import sys
from pathlib import Path

import pytest
from doubles.browser import Opened

from bench.endpoint.tiny.server import is_installed

ROOT = Path(__file__).resolve().parents[3]
ARTEFACTS = ROOT / "build" / "report-screenshots"
WIDTHS = {"phone": 375, "desk": 1280, "wall": 2560}
SMALLEST_LETTER_PX = 8.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page_file(browser, request):  # noqa: ARG001 (drawing takes seconds: without a browser the tests are skipped first)
    """Return the file of the page of one of everything."""
    return request.getfixturevalue("full_page")


@pytest.fixture(scope="module")
def main_job(tmp_path_factory):
    """Run the main job as a person does and return its page."""
    store = tmp_path_factory.mktemp("main") / "results"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "--plan", "smoke", "--threads", "1", "--out", str(store)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = store / "report.html"
    assert f"page       {page}" in done.stdout
    return page


def test_the_main_jobs_page_opens_from_the_file_system_without_an_error_or_a_request(browser, main_job):
    with Opened(browser, main_job) as page:
        page.tab.mouse.wheel(0, 20000)
        titles = page.tab.locator("h2").all_inner_texts()
        assert len(titles) == (7 if is_installed() else 6), "with the extra `serve` one more, of its tiny server"
        assert "J/TH" in page.tab.locator("#headline").inner_text()
        assert page.was_silent(), (page.asked, page.said, page.dialogs)


def test_names_with_markup_do_nothing_in_a_browser(browser, page_file):
    with Opened(browser, page_file) as page:
        assert page.tab.get_by_text("<script>alert(3)</script>").count() > 0
        assert page.tab.locator("script").count() == 1
        assert page.tab.locator("img").count() == 0
        assert page.was_silent(), (page.asked, page.said, page.dialogs)


def test_the_pages_policy_stops_a_foreign_style_and_script(browser, page_file, tmp_path):
    text = page_file.read_text(encoding="utf-8")
    changed = tmp_path / "changed.html"
    foreign = "<script>document.title = 'run'</script><p id=p style='color: red' onclick='alert(1)'>x</p>"
    changed.write_text(text.replace("<main>", f"<main>{foreign}<style>#p {{ margin: 77px }}</style>"), encoding="utf-8")
    with Opened(browser, changed) as page:
        page.tab.locator("#p").click()
        look = page.tab.evaluate("[getComputedStyle(p).color, getComputedStyle(p).marginTop, document.title]")
        assert look[0] != "rgb(255, 0, 0)"
        assert look[1] != "77px"
        assert look[2] != "run"
        assert page.dialogs == []
        assert any("Content Security Policy" in said for said in page.said)


def test_hovering_a_point_shows_its_figures_and_sources(browser, page_file):
    with Opened(browser, page_file) as page:
        tip = page.tab.locator("#tip")
        assert not tip.is_visible()
        marks = page.tab.locator("#chart-hash .wide .mark")
        mark = marks.nth(marks.count() - 1)  # what was measured lies on top
        mark.hover()
        tip.wait_for(state="visible")
        assert tip.inner_text() == mark.get_attribute("aria-label")
        assert "measured" in tip.inner_text()
        assert "sources: result" in tip.inner_text()
        page.tab.mouse.move(2, 2)
        tip.wait_for(state="hidden")
        assert page.was_silent()


def test_a_keyboard_walks_along_the_points(browser, page_file):
    with Opened(browser, page_file) as page:
        marks = page.tab.locator("#chart-hash .wide .mark")
        marks.first.focus()
        tip = page.tab.locator("#tip")
        assert tip.inner_text() == marks.first.get_attribute("aria-label")
        page.tab.keyboard.press("ArrowRight")
        assert tip.inner_text() == marks.nth(1).get_attribute("aria-label")
        page.tab.keyboard.press("Escape")
        assert not tip.is_visible()


def test_a_click_on_a_columns_head_sorts_and_a_second_one_turns_it_round(browser, page_file):
    with Opened(browser, page_file) as page:
        head = page.tab.locator("#device-table thead th", has_text="J/TH").first
        column = head.evaluate("cell => cell.cellIndex")

        def keys():
            script = "(table, column) => [...table.tBodies[0].rows].map(row => row.cells[column].dataset.sort)"
            return page.tab.locator("#device-table").evaluate(script, column)

        before = keys()
        for word, down in (("ascending", False), ("descending", True)):
            head.locator("button").press("Enter")
            assert head.get_attribute("aria-sort") == word
            numbers = [key for key in keys() if key]
            assert [float(key) for key in numbers] == sorted((float(key) for key in numbers), reverse=down)
            assert keys()[len(numbers) :] == [""] * (len(before) - len(numbers))
        assert sorted(before) == sorted(keys())
        assert page.was_silent()


def test_the_page_is_whole_without_javascript(browser, page_file):
    with Opened(browser, page_file, java_script_enabled=False) as page:
        assert len(page.tab.locator("h2").all_inner_texts()) == 6
        assert page.tab.locator("thead button").count() == 0
        assert page.tab.locator("#chart-hash .wide svg").is_visible()
        assert page.tab.locator("#chart-hash .wide .mark title").count() > 100
        assert page.was_silent()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_legible_in_each_width_and_scheme(browser, page_file, width, scheme):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with Opened(browser, page_file, WIDTHS[width], scheme) as page:
        page.tab.screenshot(path=ARTEFACTS / f"{width}-{scheme}.png", full_page=True)
        assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"
        letters = page.tab.evaluate(
            """[...document.querySelectorAll('svg text')].filter(text => text.getBoundingClientRect().width > 0)
               .map(text => [text.getScreenCTM(), parseFloat(getComputedStyle(text).fontSize)])
               .map(([matrix, size]) => size * Math.hypot(matrix.b, matrix.d))"""
        )
        assert min(letters) >= SMALLEST_LETTER_PX
        paper = page.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") is (scheme == "light")


def test_paper_is_white_and_shows_whole_tables_whatever_the_screens_scheme(browser, page_file):
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with Opened(browser, page_file, scheme="dark") as page:
        page.tab.emulate_media(media="print", color_scheme="dark")
        assert page.tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.tab.evaluate("getComputedStyle(document.querySelector('.table.tall')).maxHeight") == "none"
        assert not page.tab.locator("nav").is_visible()
        page.tab.pdf(path=ARTEFACTS / "paper.pdf", format="A4", print_background=False)
    assert (ARTEFACTS / "paper.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["phone", "desk"])
def test_axe_finds_no_serious_violation(browser, page_file, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with Opened(browser, page_file, WIDTHS[width], scheme) as page:
        violations = axe.Axe().run(page.tab).response["violations"]
        serious = [
            (violation["id"], violation["impact"], violation["nodes"][0]["html"][:200], len(violation["nodes"]))
            for violation in violations
            if violation["impact"] in {"serious", "critical"}
        ]
        assert serious == []
        assert page.was_silent()

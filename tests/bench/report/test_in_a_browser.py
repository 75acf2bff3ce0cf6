"""The page in a real browser, from the file system: silent, alone, sortable, legible in each width and scheme."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.endpoint.tiny.server import is_installed

ROOT = Path(__file__).resolve().parents[3]
ARTEFACTS = ROOT / "build" / "report-screenshots"
VARIABLE = "PERWATT_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"phone": 375, "desk": 1280, "wall": 2560}
SMALLEST_LETTER_PX = 8.0

pytestmark = pytest.mark.slow


def _found():
    """Return the browser to drive, and why there is none where there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return (named, "") if shutil.which(named) else (None, f"{VARIABLE} names {named}, which is not there")
    path = next((path for name in NAMES if (path := shutil.which(name))), None)
    return path, "" if path else f"no Chromium: none of {', '.join(NAMES)} on the PATH, {VARIABLE} is not set"


@pytest.fixture(scope="module")
def browser():
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


class Opened:
    """A page in a tab of its own that notes what a page should never do."""

    def __init__(self, browser, path, width=1280, scheme="light", **keys):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **keys)
        self.tab = self.context.new_page()
        self.asked, self.said, self.dialogs = [], [], []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.said.append(f"pageerror: {error}"))
        self.tab.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.tab.goto(path.as_uri())
        self.uri = path.as_uri()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def was_silent(self):
        """Return whether it asked for nothing but itself, said nothing and opened no dialog."""
        beyond = [url for url in self.asked if url != self.uri and not url.startswith("data:")]
        return (beyond, self.said, self.dialogs) == ([], [], [])


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


PAYLOADS = (
    '"><script>alert(1)</script>', "' onmouseover=alert(2) x='", '" onfocus="alert(3)" autofocus="',
    "</style><img src=http://evil.example/x onerror=alert(4)>", "</title></svg><iframe src=//evil.example></iframe>",
    "javascript:alert(5)", "]]><svg onload=alert(6)>", "{{ 7 * 7 }}${7*7}", "url(http://evil.example/y)",
    "\u202egnp.exe", "<style>*{background:url(//evil.example)}</style>", "$\\href{javascript:alert(8)}{x}$",
)  # fmt: skip
FREE = {"name", "variant", "note", "detail", "code", "model", "os", "features", "verification", "plan", "argv",
        "commit", "perwatt_version", "dtype", "source", "meter", "meters"}  # fmt: skip


def hostile(value, key="", number=0):
    """Return a record's data with a payload in every text that its schema leaves free."""
    if isinstance(value, dict):
        named = {inner_key: hostile(inner, inner_key, number) for inner_key, inner in value.items()}
        return named | ({PAYLOADS[number]: PAYLOADS[number]} if key in {"parameters", "settings", "system"} else {})
    if isinstance(value, list | tuple):
        return [hostile(inner, key, number) for inner in value]
    return f"{value}{PAYLOADS[number]}" if isinstance(value, str) and key in FREE else value


def hostile_toml(path, keys):
    """Return the text of a file with a payload, each in its turn, in the texts of these keys."""
    payloads = itertools.cycle(json.dumps(payload)[1:-1] for payload in PAYLOADS)
    pattern = rf'\b((?:{"|".join(keys)}) = "(?:[^"\\]|\\.)*)"'
    return re.sub(pattern, lambda match: f'{match[1]}{next(payloads)}"', path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hostile_page(browser, report_document, tmp_path_factory):  # noqa: ARG001 (as above)
    """Return the page of records with a payload in every free text, on a device and a meter of that name."""
    from bench.report import gather, write_page
    from bench.results.record import Record
    from bench.results.writing import write_record
    from hardware_profiles.catalog import OURS
    from sites.examples import example_path

    folder = tmp_path_factory.mktemp("hostile")
    store = folder / "results"
    store.mkdir()
    for number in range(len(PAYLOADS)):
        data = report_document(number, watts=142.0, codes=("run_failed",) if number % 3 == 2 else (),
                               status="failed" if number % 3 == 2 else "ok", warnings=("unstable",))  # fmt: skip
        changed = hostile(data, number=number)
        changed["workload"]["name"] = data["workload"]["name"]
        write_record(store, Record.model_validate(changed), [])
    site, profile = folder / "site.toml", folder / "profiles" / "evil.toml"
    site.write_text(hostile_toml(example_path(), ("name", "source")), encoding="utf-8")
    profile.parent.mkdir()
    text = hostile_toml(OURS / "asic" / "antminer-s9.toml", ("model", "note", "title", "publisher"))
    profile.write_text(text, encoding="utf-8")
    return write_page(gather([str(site)], store, [profile.parent]), folder / "page.html")


def test_payloads_in_every_field_do_nothing_in_a_browser(browser, hostile_page):
    assert "alert(1)" in hostile_page.read_text(encoding="utf-8")
    with Opened(browser, hostile_page) as page:
        page.tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        for mark in page.tab.locator(".mark").all()[:20]:
            mark.dispatch_event("mouseover")
            mark.focus()
        assert page.tab.locator("script").count() == 1
        assert page.tab.locator("style").count() == 1
        assert page.tab.locator("img, iframe, object, embed, form, base, image, foreignObject").count() == 0
        attributes = page.tab.evaluate(
            "[...document.querySelectorAll('*:not(#tip)')]"
            ".flatMap(each => [...each.attributes].map(one => [one.name, one.value]))"
        )
        assert not [name for name, _ in attributes if name.startswith("on") or name in {"style", "autofocus", "src"}]
        addresses = [value for name, value in attributes if name in {"href", "xlink:href"}]
        assert not [value for value in addresses if not value.startswith(("#", "https://", "http://", "data:,"))]
        assert page.tab.evaluate("[...document.querySelectorAll('a')].every(a => a.host !== 'evil.example')")
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

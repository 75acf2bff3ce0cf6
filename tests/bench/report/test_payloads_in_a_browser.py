"""Whatever a record, a site or a profile carries in its texts does nothing in a real browser."""

import itertools
import json
import re

import pytest
from doubles.browser import Opened

from bench.report import gather, write_page
from bench.results.record import Record
from bench.results.writing import write_record
from hardware_profiles.catalog import OURS
from sites.examples import example_path

pytestmark = pytest.mark.slow

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
def hostile_page(browser, report_document, tmp_path_factory):  # noqa: ARG001 (without a browser the test is skipped first)
    """Return the page of records with a payload in every free text, on a device and a meter of that name."""
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

"""The page as text: six sections in their order, escaped, asking nobody, saying what is missing and what is invalid."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from doubles.asic_result import put_asic

from bench.errors import RunFailedError
from bench.report import check_target, gather, write_page
from bench.report.blocks import Link
from bench.report.page import MAX_BYTES, build
from hardware_profiles.errors import InputError

SECTIONS = ["headline", "devices", "kernels", "traces", "site", "provenance"]
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Notes every tag with its attributes, and sees that tags nest."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.crossed, self.data = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.crossed.append(tag)
        else:
            self.open.pop()

    def handle_data(self, data):
        self.data.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.fixture(scope="module")
def full_text(full_page):
    return full_page.read_text(encoding="utf-8")


def words(page):
    return " ".join(" ".join(read(page).data).split())


def test_the_sections_stand_in_their_order_and_every_tag_closes(full_text):
    reader = read(full_text)
    assert [attrs["id"] for tag, attrs in reader.tags if tag == "section"] == SECTIONS
    assert reader.crossed == []
    assert reader.open == []


def test_every_id_is_unique(full_text):
    ids = [attrs["id"] for _, attrs in read(full_text).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_in_the_page_asks_the_network_or_runs_a_foreign_script(full_text):
    reader = read(full_text)
    for tag, attrs in reader.tags:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form", "audio", "video"}, attrs
        assert "src" not in attrs
        assert not [name for name in attrs if name.startswith("on")], attrs
        if tag == "link":
            assert attrs["href"] == "data:,"
        elif tag == "a":
            assert attrs["href"].startswith(("#", "https://", "http://"))
        elif "href" in attrs:
            assert attrs["href"].startswith("#")
    assert len([tag for tag, _ in reader.tags if tag == "script"]) == 1
    assert "@import" not in full_text
    assert not re.search(r"url\((?!#)", full_text)
    policy = next(
        attrs["content"] for tag, attrs in reader.tags if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in reader.tags if "style" in attrs]


def test_markup_in_names_is_shown_and_does_nothing(full_text):
    assert "<script>alert" not in full_text
    assert "<img src=x" not in full_text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in full_text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "unknown", ""])
def test_an_address_that_would_run_or_read_something_is_no_link(address):
    assert Link("a source", address).href == ""
    assert Link("a source", 'https://example.org/a?b="c').href


def test_a_profile_that_is_called_script_is_shown_and_does_nothing(full_text):
    assert "&lt;script&gt;alert(3)&lt;/script&gt;" in full_text
    assert "<script>alert" not in full_text


def test_the_headline_names_each_product_with_basis_and_interval(full_text):
    text = words(full_text[full_text.index('<section id="headline"') : full_text.index('<section id="devices"')])
    assert "3.381 MJ/TH measured wall, tier B ± 2 % (95 %)" in text  # 142 W over 42 MH/s
    assert "4.516 J/token measured wall, tier B" in text
    assert "A megawatt-hour of mining" in text
    assert "A megawatt-hour of inference" in text
    assert "USD/MWh modelled" in text


def test_an_invalid_result_is_shown_as_such_with_its_cure(full_text):
    text = words(full_text)
    assert "throttled_hardware the device was throttled by hardware slowdown" in text
    assert "Cure: improve the cooling or the power supply" in text
    assert "failed: no window was taken (run_failed)" in text
    assert "window 1 · 20.000 s" in full_text
    assert "no energy (sample_gap)" in full_text


def test_results_that_cannot_be_read_or_were_changed_are_listed_with_the_reason_and_not_used(full_text):
    text = words(full_text)
    assert "Results that are not used: 4" in text
    assert "schema_version" in text
    assert "corrupt file" in text
    assert "samples.parquet: expected the file that result.json names, got none: it is missing" in text
    assert "it was changed" in text
    assert "3.095 MJ/TH" not in text  # 130 W over 42 MH/s: the result whose samples are missing


def test_an_assumed_power_never_looks_like_a_measured_one(put, bare):
    put(0, assumed=120.0)
    text = words(build(bare()))
    assert "with an assumed 120 W (wall) that would be" in text
    assert "0 with measured energy" in text


def test_an_imported_energy_says_so_and_stands_back_behind_one_of_our_own(put, bare):
    put(0, unit="token", workload="llm_serve_endpoint", rate=1000.0, watts=500.0, warnings=("imported",))
    alone = words(build(bare()))
    assert "0.5000 J/token measured wall, tier B imported from" in alone
    put(1, unit="token", workload="llm_serve_endpoint", rate=1000.0, watts=900.0)
    both = words(build(bare()))
    assert "0.9000 J/token measured wall, tier B ±" in both


@pytest.mark.slow
def test_an_empty_store_gives_a_page_that_says_what_is_missing(tmp_path):
    text = words(build(gather([], tmp_path)))
    for said in ("no valid result on this page", "no result on this page", "no result that could be read"):
        assert said in text
    assert "A megawatt-hour of mining" in text


@pytest.mark.slow
def test_the_same_input_gives_the_same_page(put, bare):
    put(0, watts=100.0)
    now = datetime(2026, 3, 5, tzinfo=UTC)
    assert build(bare(), now) == build(bare(), now)


def test_measured_over_rated_needs_a_recognised_device_and_an_equal_boundary(full_text):
    text = words(full_text[full_text.index('id="against"') : full_text.index('<section id="kernels"')])
    assert "NVIDIA H200" in text
    assert "0.79" in text  # 790 of 989.5 TFLOP/s
    assert "power" not in text.casefold().replace("cooling or the power", "")  # wall over board is no ratio


def test_a_lone_surrogate_or_control_character_breaks_neither_chart_nor_file(put, bare, tmp_path):
    folder = put(0, watts=100.0, device="a\u0001b")
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace("lanes16", "lanes\\u001b16"))
    page = write_page(bare(), tmp_path / "page.html")
    assert page.read_text(encoding="utf-8").endswith("</html>\n")


def test_a_page_is_written_whole_or_not_at_all(put, bare, tmp_path, monkeypatch):
    put(0)
    target = tmp_path / "page.html"
    target.write_text("old")
    gathered = bare()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunFailedError, match="No space left on device"):
        write_page(gathered, target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize("target", [".", "no/such/folder/page.html"])
def test_a_target_that_cannot_be_is_refused_before_any_work(target, tmp_path):
    with pytest.raises(InputError, match="--out: expected a file"):
        check_target(tmp_path / target)


def test_a_full_page_is_far_below_its_limit(full_text):
    assert len(full_text.encode()) < MAX_BYTES / 2


def test_the_command_writes_the_page_and_says_so_in_json(put, tmp_path, capsys, monkeypatch):
    from bench.cli import main

    put(0)
    (put(1) / "result.json").write_text("{ not json")
    monkeypatch.setattr("bench.report.page.build", lambda _gathered: "<!DOCTYPE html>")
    target = tmp_path / "page.html"
    with pytest.raises(SystemExit) as end:
        main(["report", "--results", str(put.store), "-o", str(target), "--json"])
    out = capsys.readouterr()
    document = json.loads(out.out)
    assert end.value.code == 0
    assert document["page"] == str(target)
    assert document["bytes"] == target.stat().st_size
    assert document["results"] == 1
    assert "listed as such on the page" in out.err


def test_a_miner_has_a_table_of_what_was_measured_displayed_and_checked(put, bare):
    put_asic(put.store)
    put_asic(put.store, 1, name="<b>unknown</b> miner", watts=None, verified=False, warnings=["shares_few"])
    page = build(bare())
    first = words(page[page.index('id="miner-0"') : page.index('id="miner-1"')])
    for said in (
        "Bitmain Antminer S21: measured and displayed", "198 TH/s verified by shares",
        "9,600 shares of difficulty 4096",
        "3,500 W", "17.68 J/TH", "200 TH/s displayed, tier D", "verified is 0.990 (0.970 to 1.011) of it",
        "the wall draws 1.077", "9,600 valid, 12 stale", "0.12% refused", "uniform p 0.41",
        "ambient 24.0 °C, board 61.5 °C", "LuxOS 2026.1 normal",
    ):  # fmt: skip
        assert said in first
    second = words(page[page.index('id="miner-1"') : page.index('<section id="kernels"')])
    assert "not verified by shares" in second
    assert "not metered" in second
    assert "<b>unknown</b>" not in page


@pytest.mark.slow
def test_a_miner_that_the_catalogue_knows_stands_over_its_rated_rate_power_and_joules(put):
    put_asic(put.store)
    page = build(gather([], put.store))
    against = words(page[page.index('id="against"') : page.index('id="miner-0"')])
    for said in (
        "antminer-s21:200t",
        "hash rate",
        "power at the wall",
        "0.990",
        "1.010",
        "tolerance of the maker unknown",
    ):
        assert said in against

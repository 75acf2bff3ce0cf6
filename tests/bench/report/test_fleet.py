"""The page's section of fleets: the coverage first, then each unit with its interval, and nothing without units."""

import numpy as np
from doubles.fleets.lab import lab_run
from doubles.fleets.store import miners, put, record

from bench.report import gather
from bench.report.page import build
from bench.report.sections import fleet


def test_units_are_drawn_and_listed_below_what_is_known_of_the_coverage(tmp_path):
    store = miners(tmp_path / "results", 8, rate_sd=0.01, power_sd=0.01, rng=np.random.default_rng(1), off=-0.1)
    section = fleet.section(fleet.measured(gather((), store)))
    kinds = [name for name, _ in section.kinds()]
    assert kinds == ["missing", "chart", "table", "table", "facts"]
    assert "coverage not known" in section.blocks[0].reason
    chart = section.blocks[1]
    assert "outliers: asic 00000000" in chart.summary
    assert chart.wide.count('class="mark"') == 8
    page = build(gather((), store)).partition('<section id="fleet"')[2]
    assert 0 < page.index("coverage not known") < page.index("outliers: asic 00000000")


def test_the_coverage_of_a_lab_stands_first_even_if_nothing_was_measured_twice(tmp_path):
    one = record(1, host="gpu01", device="A CPU")
    store = put(tmp_path / "results", one)
    lab_run(store, "sha256d_scan_cpu", {"gpu01": one["id"]}, {"gpu02": ("lost", "lost")})
    section = fleet.section(fleet.measured(gather((), store)))
    assert [name for name, _ in section.kinds()] == ["table", "missing"]
    assert "2 planned: 1 measured, 1 lost" in section.blocks[0].caption


def test_a_page_of_single_units_has_no_such_section(tmp_path):
    store = put(tmp_path / "results", record(1), record(2))
    assert fleet.section(fleet.measured(gather((), store))) is None


def test_a_damaged_book_of_a_lab_is_listed_and_the_page_is_written(tmp_path):
    one = record(1, host="gpu01")
    store = put(tmp_path / "results", one)
    book = lab_run(store, "sha256d_scan_cpu", {"gpu01": one["id"]}, {})
    (book.folder / "plan.json").write_text("{")
    gathered = gather((), store)
    assert gathered.coverages == ()
    assert [unreadable.folder for unreadable in gathered.unreadable] == ["labs"]
    assert build(gathered)


def test_the_first_figure_says_that_it_is_the_best_of_several_units_and_what_their_mean_is(tmp_path):
    store = miners(tmp_path / "results", 8, rate_sd=0.01, power_sd=0.01, rng=np.random.default_rng(1), off=-0.1)
    card = build(gather((), store)).partition('<section id="headline"')[2].partition("</section>")[0]
    whole = fleet.measured(gather((), store))
    (study,) = (one for one in whole.studies if one.kind.group == "energy")
    assert "best of 8 units" in card
    assert f"mean of the 8 units: {study.spread.mean * 1e12:.4g} J/TH" in card

"""Integrity of a profile: each way to spoil it is one line that names file, key, expected and got."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_profiles import catalog
from hardware_profiles.checks import prints
from hardware_profiles.profile import Source


def spoil(path, value):
    """Return a change of the miner at a path such as bins.0.name; a value of ... deletes."""

    def change(data):
        *head, last = path.split(".")
        at = data
        for part in head:
            at = at[int(part)] if part.isdigit() else at[part]
        if value is ...:
            del at[last]
        else:
            at[int(last) if last.isdigit() else last] = value

    return change


def test_the_example_passes(written, miner):
    assert catalog.check_file(written(miner)) == []


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (spoil("bins.0.hash_rat_th_s", {}), ("bins[0].hash_rat_th_s", "unknown key", "hash_rate_th_s")),
        (spoil("bins.0.hash_rate_gh_s", {}), ("bins[0].hash_rate_gh_s", "unknown key", "hash_rate_th_s")),
        (spoil("bins.0.wall_power_w", 3500), ("bins[0].wall_power_w", "expected a table", "got 3500")),
        (spoil("bins.0.wall_power_w.value", "3500 W"), ("wall_power_w.value", "expected a number", "3500 W")),
        (spoil("bins.0.wall_power_w.value", True), ("wall_power_w.value", "expected a number", "True")),
        (spoil("bins.0.wall_power_w.value", -3500), ("bins.200t.wall_power_w", "expected 0.5 to 40000 W", "-3500")),
        (spoil("bins.0.wall_power_w", ...), ("bins[0].wall_power_w", "required", "got nothing")),
        (spoil("bins.0.wall_power_w.sources", ...), ("bins[0].wall_power_w.sources", "required", "got nothing")),
        (spoil("bins.0.wall_power_w.sources", []), ("bins.200t.wall_power_w.sources", "a source", "got none")),
        (spoil("bins.0.wall_power_w.sources", ["makr"]), ("sources.makr", "did you mean maker")),
        (spoil("bins.0.wall_power_w.tolerance_pct", ...), ("wall_power_w.tolerance_pct", "got nothing")),
        (spoil("bins.0.wall_power_w.basis", "guessed"), ("wall_power_w.basis", "'rated'", "'guessed'")),
        (spoil("bins.0.wall_power_w.date", "2026-02-30"), ("wall_power_w.date", "a date that exists", "2026-02-30")),
        (spoil("bins.0.wall_power_w.confidence", "two_sources"), ("wall_power_w.sources", "two sources", "got maker")),
        (spoil("bins.1.name", "200t"), ("bins", "every name once", "'200t' 2 times")),
        (spoil("bins.0.hash_rate_th_s.value", 200_000), ("bins.200t.hash_rate_th_s", "is it GH/s", "200000")),
        (spoil("bins.0.hash_rate_th_s.value", 0.2), ("bins.200t.hash_rate_th_s", "is it PH/s or kW", "0.2")),
        (spoil("bins.0.stated_j_per_th.value", 18), ("bins.200t.stated_j_per_th", "17.50 J/TH", "got 18")),
        (spoil("bins.0.modes.0.hash_rate_th_s.value", 250), ("modes", "more hash rate for more power", "low 250")),
        (spoil("environment.ambient_max_c.value", -20), ("ambient_min_c", "at most ambient_max_c", "got -5")),
        (spoil("sources.maker.printed", ["nothing"]), ("sources.maker.printed", "says 200 TH/s", "nothing")),
        (spoil("sources.maker.address", "unknown"), ("sources.maker", "an address and the date", "got unknown")),
        (spoil("sources.maker.address", "ftp://x"), ("sources.maker.address", "an https address", "ftp://x")),
        (spoil("sources.maker.read", "yesterday"), ("sources.maker.read", "a date that exists", "yesterday")),
        (spoil("released", "2026-13"), ("released", "a date that exists", "2026-13")),
        (spoil("bins.0.wall_power_w.date", "2099"), ("wall_power_w.date", "a date that is not in the future", "2099")),
        (spoil("released", "2093-Q1"), ("released", "a date at most 2 years ahead", "2093-Q1")),
        (spoil("kind", "asci"), ("kind", "one of asic, gpu, cpu", "did you mean asic")),
        (spoil("cooling", "water"), ("cooling", "'hydro'", "'water'")),
        (spoil("bins", []), ("bins", "at least 1 item", "[]")),
        (
            spoil("disagreements", [{"figure": "bins.200t.wall_powr_w", "value": 3550, "source": "maker"}]),
            ("disagreements", "a figure of this file", "bins.200t.wall_power_w"),
        ),
        (
            spoil("disagreements", [{"figure": "bins.200t.wall_power_w", "value": 3999, "source": "maker"}]),
            ("sources.maker.printed", "says 3999"),
        ),
    ],
)
def test_a_spoilt_profile_is_told_with_file_key_expected_and_got(written, miner, change, parts):
    change(miner)
    path = written(miner)
    faults = catalog.check_file(path)
    told = " | ".join(faults)
    assert faults, "no fault found"
    assert all(fault.startswith(str(path)) and "\n" not in fault for fault in faults)
    assert all("expected" in fault and "got" in fault for fault in faults), told
    for part in parts:
        assert part in told


def test_a_source_that_nothing_cites_is_a_fault(written, miner):
    miner["sources"]["other"] = {**miner["sources"]["maker"], "title": "Other"}
    assert "key sources.other: expected a figure that cites it" in " ".join(catalog.check_file(written(miner)))


def test_two_files_of_one_repository_are_one_publisher(written, miner):
    for name in ("one", "two"):
        miner["sources"][name] = {
            **miner["sources"]["maker"],
            "address": f"https://github.com/somebody/tables/blob/main/{name}.md",
        }
    miner["bins"][0]["wall_power_w"].update(sources=["one", "two"], confidence="two_sources")
    assert "two sources of different publishers" in " ".join(catalog.check_file(written(miner)))
    miner["bins"][0]["wall_power_w"]["sources"] = ["maker", "one"]
    miner["bins"][0]["hash_rate_th_s"]["sources"] = ["maker", "two"]
    assert catalog.check_file(written(miner)) == []


def test_a_dense_peak_above_its_sparse_one_is_a_fault(written, miner):
    figure = {key: value for key, value in miner["bins"][0]["wall_power_w"].items() if key != "value"}
    del miner["bins"], miner["environment"]
    miner.update(
        kind="gpu",
        figures={"tdp_w": {**figure, "value": 3500}},
        peaks={"fp8_dense_tflop_s": {**figure, "value": 200}},
        sparse_peaks={"fp8_sparse_tflop_s": {**figure, "value": 150}},
    )
    assert "key fp8_dense_tflop_s: expected at most its sparse peak 150, got 200" in " ".join(
        catalog.check_file(written(miner))
    )


@pytest.mark.parametrize(
    ("text", "value", "agrees"),
    [
        ("3,500 W", 3500, True),
        ("3.5 kW", 3500, True),
        ("157,3 TFLOPS", 157.3, True),  # a decimal comma
        ("1.13 PFLOPS", 1125, True),  # rounded in its last digit
        ("989.43", 989.4, True),
        ("2.0 TB/s", 2.4, False),
        ("S21: 200 TH/s", 21, False),
        ("3,550 W", 3500, False),
    ],
)
def test_a_printed_figure_stands_for_a_value_within_its_last_digit(text, value, agrees):
    source = Source("id", "title", "table", "https://example.org/", "2026-01-01", (text,))
    assert prints(source, value) is agrees


@given(st.floats(1, 99_999))
def test_a_value_written_with_its_digits_is_always_found(value):
    source = Source("id", "title", "table", "https://example.org/", "2026-01-01", (f"power {value:.6g} W",))
    assert prints(source, float(f"{value:.6g}"))

"""Results and profiles side by side: what may be a ratio or a verdict, and the reason in the cell where not."""

from dataclasses import replace

import pytest

from bench.compare.device_figures import DeviceFigures, Figure
from bench.compare.load import of_profile
from bench.compare.verdicts import as_document, compare, refusal, systematic_frac
from bench.measure.quiet_pairs import QuietPairs, Slice, take_pairs
from hardware_profiles.catalog import load
from hardware_profiles.errors import InputError


def figure(values, group="energy", of="hash", **changes):
    unit = {"energy": "J/hash", "rate": "hash/s", "power": "W"}[group]
    found = Figure(
        group, of if group != "power" else "", sum(values) / len(values), unit, "measured", samples=tuple(values),
        boundary="" if group == "rate" else "wall", tier="" if group == "rate" else "B", u_meter_frac=0.01,
        meter_domains=("shelly:a",),
    )  # fmt: skip
    return replace(found, **changes)


def subject(*figures, name="a", **changes):
    base = DeviceFigures(
        name, name, tuple(figures), "result", workload="sha256d_scan_cpu", version=1, device="CPU one",
        device_kind="cpu", run_id="run-1",
    )  # fmt: skip
    return replace(base, **changes)


FIVE = (1.000, 1.004, 0.996, 1.002, 0.998)


def other(factor, **changes):
    return figure([factor * value for value in FIVE], **changes)


def last(*subjects):
    return compare(subjects)[-1]


def test_the_first_is_the_reference_and_each_other_is_a_ratio_to_it():
    rows = compare([subject(figure(FIVE)), subject(other(0.9), name="b"), subject(other(1.1), name="c")])
    assert [row.why for row in rows] == ["reference", "", ""]
    assert rows[1].ratio == pytest.approx(0.9, rel=1e-3)
    assert [row.verdict for row in rows[1:]] == ["less energy", "more energy"]


def test_rule_12_results_of_two_runs_are_compared_and_said_not_to_be_interleaved():
    row = last(subject(figure(FIVE)), subject(other(0.9), name="b", run_id="run-2"))
    assert (row.verdict, row.note) == ("less energy", "not interleaved")
    assert last(subject(figure(FIVE)), subject(other(0.9), name="b")).note == ""


def test_rule_13_one_meter_cancels_in_a_ratio_and_two_do_not():
    a, b = figure(FIVE), other(1.03)
    assert systematic_frac(a, b) == 0.0
    assert last(subject(b), subject(a, name="b")).verdict == "less energy"
    elsewhere = replace(b, meter_domains=("shelly:b",), u_meter_frac=0.02)
    assert systematic_frac(a, elsewhere) == pytest.approx((0.01**2 + 0.02**2) ** 0.5)
    assert last(subject(elsewhere), subject(a, name="b")).verdict == "cannot tell"
    nameless = replace(a, meter_domains=())
    assert systematic_frac(nameless, nameless) > 0.0


def test_rule_13_uncertain_work_never_cancels():
    a = figure(FIVE, u_work_frac=0.03)
    assert systematic_frac(a, a) == pytest.approx(0.03 * 2**0.5)


def test_rule_14_same_is_said_first():
    row = last(subject(figure(FIVE)), subject(other(1.008), name="b"))
    assert row.verdict == "same"
    assert row.interval[0] > 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"boundary": "package"}, "unequal boundaries: package and wall"),
        ({"tier": "C"}, "two measured tiers: C and B"),
        ({"of": "flop fp32", "unit": "J/flop"}, r"unequal units: J/flop \(fp32\) and J/hash"),
        ({"value": 0.0}, "not above 0"),
    ],
)
def test_rule_15_what_does_not_compare_is_refused_with_the_reason_in_its_cell(changes, words):
    row = last(subject(figure(FIVE)), subject(other(0.5, **changes), name="b"))
    assert (row.ratio, row.interval, row.verdict) == (None, None, "")
    import re

    assert re.search(words, row.why), row.why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "unequal workload versions: 2 and 1"),
        ({"workload": "sha256d_scan_cuda"}, "unequal workloads: sha256d_scan_cuda and sha256d_scan_cpu"),
        (
            {"workload": "sha256d_scan_vr4_cpu", "parameters": (("midstates_per_schedule", "4"),)},
            "unequal workloads: sha256d_scan_vr4_cpu and sha256d_scan_cpu (4 and 1 midstates per message schedule)",
        ),
        ({"refused": "invalid: unsteady"}, "invalid: unsteady"),
    ],
)
def test_unequal_work_is_refused(changes, words):
    assert last(subject(figure(FIVE)), subject(other(0.5), name="b", **changes)).why == words


def test_a_refused_reference_refuses_every_ratio():
    rows = compare([subject(figure(FIVE), refused="plan smoke is never compared"), subject(other(0.5), name="b")])
    assert [row.why for row in rows] == ["plan smoke is never compared", "a: plan smoke is never compared"]


def test_measured_over_rated_at_one_boundary_is_a_ratio_without_a_verdict():
    rated = figure(FIVE, basis="rated", tier="", samples=())
    row = last(subject(rated, name="profile"), subject(other(1.1), name="b"))
    assert row.ratio == pytest.approx(1.1)
    assert (row.verdict, row.interval) == ("", None)
    assert row.why == "no verdict: measured over rated"
    board = replace(rated, boundary="board")
    assert last(subject(board, name="profile"), subject(other(1.1), name="b")).why.startswith("unequal boundaries")


def test_what_has_no_figure_at_all_is_listed_with_the_reason():
    a, b = subject(figure(FIVE)), subject(name="b", refused="invalid: unsteady")
    for rows in (compare([a, b]), compare([b, a])):
        (row,) = [row for row in rows if row.subject.name == "b"]
        assert (row.figure, row.ratio, row.why) == (None, None, "invalid: unsteady")
    assert as_document(compare([a, b]))["rows"][-1]["value"] is None


def test_what_was_not_run_alike_is_said_beside_the_ratio():
    a = subject(figure(FIVE), parameters=(("threads", "2"), ("m", "2048")))
    b = subject(other(0.5), name="b", parameters=(("threads", "1"), ("m", "2048")))
    assert last(a, b).note == "unequal threads 1 and 2"
    noisy = subject(other(0.5), name="c", warned=("unstable",))
    assert last(subject(figure(FIVE)), noisy).note == "unstable"


def test_one_window_has_no_verdict():
    row = last(subject(figure(FIVE)), subject(figure([0.5]), name="b"))
    assert row.ratio == pytest.approx(0.5, rel=1e-4)
    assert row.why == "no verdict: one window has no spread"


def test_a_claim_on_one_cpu_against_itself_needs_quiet_pairs():
    a, b = figure(FIVE, group="rate"), other(1.2, group="rate")
    row = last(subject(a), subject(b, name="b", run_id="run-2"))
    assert (row.verdict, row.why) == ("", "not quiet: no verdict")
    assert row.ratio == pytest.approx(1.2, rel=1e-3)
    assert last(subject(a), subject(b, name="b", device="CPU two")).verdict == "faster"
    assert last(subject(a), subject(other(1.001, group="rate"), name="b")).verdict == "same"


def test_profiles_stand_beside_each_other_with_boundary_basis_and_confidence():
    rows = compare([of_profile(load("antminer-s21")), of_profile(load("nvidia-h200"))])
    document = as_document(rows)
    power = [row for row in document["rows"] if row["figure"] == "power"]
    assert [row["boundary"] for row in power] == ["wall", "board"]
    assert power[1]["ratio"] is None
    assert power[1]["reason"] == "unequal boundaries: board and wall"
    assert all(row["basis"] == "rated" and row["confidence"] for row in power)


def test_fewer_than_two_are_refused():
    with pytest.raises(InputError, match="two or more"):
        compare([subject(figure(FIVE))])


def test_a_group_that_the_first_lacks_says_so():
    a = subject(figure(FIVE, group="rate"))
    assert last(a, subject(figure(FIVE), name="b")).why == "a has none"
    assert refusal(a, a.figures[0], a, a.figures[0]) == ""


def quiet_pairs(ratio, count=50, quiet=True, probed=True):
    slices = [(Slice(100.0, quiet), Slice(100.0 * ratio * (1.0 + 0.001 * (-1) ** i), quiet)) for i in range(count)]
    return QuietPairs(("a", "b"), tuple(slices), probed)


def test_fifty_quiet_pairs_may_claim_what_two_results_of_one_cpu_may_not():
    a, b = subject(figure(FIVE, group="rate")), subject(other(1.2, group="rate"), name="b")
    row = compare([a, b], quiet_pairs(1.1))[-1]
    assert (row.verdict, row.note) == ("faster", "50 of 50 pairs quiet, CPU time")
    assert row.ratio == pytest.approx(1.1, rel=1e-3)
    for pairs in (quiet_pairs(1.1, count=49), quiet_pairs(1.1, quiet=False), quiet_pairs(1.1, probed=False)):
        row = compare([a, b], pairs)[-1]
        assert (row.verdict, row.why) == ("", "not quiet: no verdict")
        assert row.ratio == pytest.approx(1.1, rel=2e-3)
        assert "ungated" in row.note
        assert "not quiet: no verdict" in pairs.sentence()
        assert pairs.document()["verdict"] is None


def test_slices_are_taken_in_turn_until_enough_were_quiet(monkeypatch):
    clocks = iter([4.0e9] * 20 + [3.0e9] + [4.0e9] * 1000)
    monkeypatch.setattr("bench.measure.quiet_pairs.core_clock_hz", lambda: next(clocks))
    monkeypatch.setattr("bench.measure.quiet_pairs.neighbour_cycles", lambda _clock: 0.9)
    order = []

    def one(name):
        def work():
            order.append(name)
            return 10.0, 0.01

        return work

    found = take_pairs(("a", "b"), [one("a"), one("b")], pairs=20)
    assert "".join(order[6:]).startswith("abababab")
    assert len(found.quiet_pairs) == 20
    assert len(found.pairs) == 22  # the clock moved once, between the last slice of one pair and the first of the next
    assert take_pairs(("a", "b"), [one("a"), one("b")], pairs=5, most=3).verdict() is None

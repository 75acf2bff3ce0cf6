"""Which records are one unit, which do not count, and what units share."""

import pytest
from doubles.fleets.store import record

from bench.fleet.measurements import measurements
from bench.fleet.units import units_of
from bench.results.record import Record
from bench.results.units import unit_of


def of(*documents):
    return measurements([Record.model_validate(document) for document in documents])


def rates(*documents):
    return [units for units in units_of(of(*documents).counted) if units.kind.group == "rate"]


def gpu(number, uuid, index=0, **changes):
    return record(number, kind="gpu", device="NVIDIA H100", unit=uuid, settings={"index": index}, **changes)


def test_a_gpu_is_its_uuid_and_never_its_index():
    (units,) = rates(gpu(1, "GPU-a"), gpu(2, "GPU-b"), gpu(3, "GPU-a", index=1), gpu(4, "GPU-c", host="gpu02"))
    assert sorted(unit.id for unit in units.units) == ["gpu:GPU-a", "gpu:GPU-b", "gpu:GPU-c"]


def test_a_gpu_that_moved_to_another_host_is_one_unit_with_both_hosts():
    (units,) = rates(gpu(1, "GPU-a", host="gpu01"), gpu(2, "GPU-a", host="gpu02"))
    assert [unit.hosts for unit in units.units] == [("gpu01", "gpu02")]


def test_a_cpu_is_its_host_by_key_and_not_by_name():
    (units,) = rates(
        record(1, host="a", host_id="00000001"), record(2, host="renamed", host_id="00000001"),
        record(3, host="a", host_id="00000002"),
    )  # fmt: skip
    assert sorted(unit.id for unit in units.units) == ["cpu:00000001", "cpu:00000002"]


def test_a_unit_has_one_figure_whatever_the_number_of_its_records():
    (units,) = rates(record(1, rate=1e9), record(2, rate=4e9), record(3, host="b", rate=2e9))
    assert [unit.value for unit in units.units] == pytest.approx([2e9, 2e9])
    assert sorted(len(unit.records) for unit in units.units) == [1, 2]


def test_the_key_of_a_unit_is_empty_where_nothing_identifies_it():
    assert unit_of("cpu", {}, "") == ""
    assert unit_of("gpu", {"index": 0}, "00000001") == ""
    assert unit_of("asic", {"unit": ""}, "00000001") == ""
    assert unit_of("server", {"uuid": "x"}, "00000001") == ""


def test_records_that_do_not_count_are_counted_by_reason():
    found = of(
        record(1), record(2, plan="smoke"), record(3, status="invalid"), record(4, host=""),
        record(5, supersedes=record(6)["id"]), record(6), gpu(7, None), record(8, kind="asic", device="S21"),
    )  # fmt: skip
    assert [one.id for one in found.counted] == [record(1)["id"], record(5)["id"]]
    assert found.not_counted == {
        "plan smoke": 1, "invalid (throttled_hardware)": 1, "unknown host": 1, "superseded": 1,
        "GPU without a UUID": 1, "miner without a serial number or MAC address": 1,
    }  # fmt: skip


def test_a_superseded_record_does_not_count_although_its_correction_is_invalid():
    found = of(record(1), record(2, supersedes=record(1)["id"], status="invalid"))
    assert found.counted == ()


@pytest.mark.parametrize(
    "changes", [{"settings": {"turbo": "off"}}, {"variant": "shani"}, {"device": "Another CPU"}, {"workload": "other"}]
)
def test_units_in_other_settings_or_of_other_work_are_another_fleet(changes):
    assert (
        len(rates(record(1, settings={"turbo": "on"}), record(2, host="b", **{"settings": {"turbo": "on"}, **changes})))
        == 2
    )


def powers(*documents):
    return next(units for units in units_of(of(*documents).counted) if units.kind.group == "power")


def test_units_behind_one_meter_share_its_error_and_a_meter_of_its_own_is_the_units_error():
    units = powers(*(record(at, host=f"h{at}", watts=100.0 + at, meter="pdu" if at < 3 else "own") for at in range(4)))
    assert units.figures.group.tolist() == [0, 0, 0, 1]
    assert units.figures.shared.tolist() == pytest.approx([0.005**2, 0.0])
    assert units.figures.known.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.005**2])
    assert not units.common_meter


@pytest.mark.parametrize("changes", [{"tier": "C", "meter": "rapl"}, {"meter": ""}])
def test_meters_without_a_stated_accuracy_or_a_name_count_as_one(changes):
    units = powers(*(record(at, host=f"h{at}", watts=100.0 + at, **changes) for at in range(3)))
    assert set(units.figures.group.tolist()) == {0}
    assert units.common_meter


def test_meters_of_two_tiers_are_never_one_figure():
    found = units_of(of(record(1, watts=100.0), record(2, host="b", watts=100.0, tier="A")).counted)
    assert len([units for units in found if units.kind.group == "power"]) == 2


def test_repeated_runs_take_the_place_of_windows_when_there_are_enough():
    few = rates(*(record(at, host=f"h{at % 4}", rate=1e9 * (1 + 0.01 * (at % 3))) for at in range(8)))[0]
    many = rates(*(record(at, host=f"h{at % 4}", rate=1e9 * (1 + 0.01 * (at % 3))) for at in range(12)))[0]
    assert (few.by_runs, many.by_runs) == (False, True)
    assert many.figures.scatter[0] > 20.0 * few.figures.scatter[0]


def test_records_by_another_meter_are_no_drift():
    readings = [record(at, watts=100.0, days=10.0 * at, meter="old" if at < 2 else "new") for at in range(4)]
    assert len(powers(*readings).units[0].series) == 2
    assert len(rates(*readings)[0].units[0].series) == 4

"""hwmon sensors: counters before power, the boundary known or asked for, every fault one line."""

import pytest

from bench.meters.errors import MeterError
from bench.meters.kinds.hwmon import find_sensors
from bench.meters.protocol import MeterKind
from bench.meters.registry import make_meter
from hardware_profiles.errors import InputError


@pytest.fixture
def tree(tmp_path):
    def device(folder, name, **files):
        path = tmp_path / folder
        path.mkdir()
        (path / "name").write_text(name + "\n")
        for file, text in files.items():
            (path / file).write_text(text + "\n")
        return path

    device("hwmon0", "coretemp", temp1_input="40000")
    device("hwmon1", "amdgpu", power1_average="120000000", power1_label="slowPPT")
    device("hwmon2", "amd_energy", energy1_input="5000000", power1_input="90000000")
    device("hwmon3", "ina3221", power1_input="7000000", power1_average_interval="2000")
    return tmp_path


def test_sensors_of_power_and_energy_are_found(tree):
    assert [sensor.spec for sensor in find_sensors(tree)] == [
        "hwmon:amdgpu/power1_average",
        "hwmon:amd_energy/energy1_input",
        "hwmon:amd_energy/power1_input",
        "hwmon:ina3221/power1_input",
    ]


def test_a_counter_is_taken_before_a_power(tree):
    meter = make_meter(f"hwmon:amd_energy,root={tree}")
    assert (meter.info.kind, meter.info.boundary) == (MeterKind.COUNTER, "package")
    meter._info = meter.connect()
    meter.take()
    (tree / "hwmon2" / "energy1_input").write_text("9000000\n")
    meter.take()
    assert [reading.value for reading in meter.readings()] == [0.0, 4.0]


def test_power_is_in_watts_and_a_failed_read_is_missing(tree):
    meter = make_meter(f"hwmon:amdgpu,root={tree}")
    meter._info = meter.connect()
    meter.take()
    (tree / "hwmon1" / "power1_average").write_text("N/A\n")
    meter.take()
    assert [reading.value for reading in meter.readings()] == [120.0, None]


def test_what_a_sensor_covers_must_be_said_where_it_is_not_known(tree):
    with pytest.raises(InputError, match="boundary: expected the boundary of this sensor"):
        make_meter(f"hwmon:ina3221,root={tree}")
    meter = make_meter(f"hwmon:ina3221,boundary=board,root={tree}")
    assert (meter.info.boundary, meter.info.averaging_s, meter.info.period_s) == ("board", 2.0, 2.0)


@pytest.mark.parametrize(("target", "words"), [("amdgpo", "did you mean amdgpu"), ("", "expected one of amdgpu")])
def test_a_sensor_must_be_named(tree, target, words):
    with pytest.raises(InputError, match=words):
        make_meter(f"hwmon:{target},root={tree}")


def test_none_at_all_is_one_line_with_the_cure(tmp_path):
    with pytest.raises(MeterError, match=r"no power or energy sensor.*shelly"):
        make_meter(f"hwmon,root={tmp_path}")

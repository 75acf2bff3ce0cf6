"""The INA3221 of a Jetson: its input rail is the whole module, the other rails are parts."""

import pytest
from doubles.system.sysfs import first_reading, listed

from bench.meters.protocol import MeterKind
from bench.meters.registry import default_specs, make_meter
from hardware_profiles.errors import InputError


def jetson(tree, **more):
    rails = {"in1_label": "VDD_IN", "in2_label": "VDD_CPU_GPU_CV", "in3_label": "VDD_SOC"}
    volts = {f"in{n}_input": 5000 for n in range(1, 8)}
    amperes = {f"curr{n}_input": n * 1000 for n in range(1, 5)}
    return tree.card(2, "ina3221", "i2c-1/1-0040", **(rails | volts | amperes | more))


def test_the_input_rail_of_a_jetson_is_the_whole_module_and_the_others_are_parts(tree):
    folder = jetson(tree)
    assert default_specs("cpu") == ["hwmon:ina3221/VDD_IN"]
    value, info = first_reading("hwmon:ina3221")
    assert (value, info.name, info.boundary, info.kind) == (5.0, "hwmon:ina3221/VDD_IN", "board", MeterKind.POWER)
    assert first_reading("hwmon:ina3221/VDD_SOC")[1].boundary == "chip"
    meter = make_meter("hwmon:ina3221/in1")
    meter._info = meter.connect()
    (folder / "curr1_input").unlink()
    meter.take()
    assert meter.readings()[0].codes == ("read_failed",)


def test_a_jetson_without_an_input_rail_has_no_meter_of_its_own_choice(tree):
    files = {"in1_label": "VDD_GPU_SOC", "in2_label": "VDD_CPU_CV", "in3_label": "VIN_SYS_5V0"}
    jetson(tree, **files)
    assert default_specs("cpu") == []
    assert {meter.boundary for meter in listed("hwmon").values()} == {"chip"}
    with pytest.raises(InputError, match="VIN_SYS_5V0"):
        make_meter("hwmon:ina3221")


def test_rails_that_are_not_connected_are_not_listed(tree):
    jetson(tree, in2_enable=0, in3_label="NC")
    assert list(listed("hwmon")) == ["hwmon:ina3221/VDD_IN"]

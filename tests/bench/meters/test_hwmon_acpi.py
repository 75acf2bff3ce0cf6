"""The power meters of ACPI: the label of the firmware says whether one reads the machine or a part."""

import pytest
from doubles.system.sysfs import SysTree

from bench.meters.registry import entry, make_meter
from bench.meters.system_files import system_root
from hardware_profiles.errors import InputError


@pytest.fixture
def tree(tmp_path):
    tree = SysTree(tmp_path / "root")
    with system_root(tree.root):
        yield tree


@pytest.mark.parametrize("label", ["CPU Package", "GPU Power", "PSU1", "Memory Power", "cpu_power", "Socket 0 Rail"])
def test_an_acpi_meter_of_a_part_is_not_called_the_machine(tree, label):
    tree.card(1, "power_meter", "LNXSYSTM:00/ACPI000D:00", power1_average=300 * 10**6, power1_oem_info=label)
    with pytest.raises(InputError, match="key boundary: expected the boundary of this sensor"):
        make_meter("hwmon:power_meter")


@pytest.mark.parametrize("label", ["", "System Board", "Chassis Power", "Total"])
def test_an_acpi_meter_without_a_part_in_its_label_is_that_of_the_machine(tree, label):
    tree.card(1, "power_meter", "LNXSYSTM:00/ACPI000D:00", power1_average=300 * 10**6, power1_oem_info=label)
    assert make_meter("hwmon:power_meter").info.boundary == "node"


def test_none_of_two_acpi_meters_is_called_the_machine(tree):
    for number in range(2):
        tree.card(number, "power_meter", f"LNXSYSTM:00/ACPI000D:{number:02x}", power1_average=300 * 10**6)
    assert {meter.boundary for meter in entry("hwmon").find()} == {None}
    with pytest.raises(InputError, match="key boundary: expected the boundary of this sensor"):
        make_meter("hwmon:power_meter@ACPI000D:01")

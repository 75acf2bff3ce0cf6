"""hwmon sensors: labels say what they cover, sockets are summed, cards are named, and a sleeping card is not at 0 W."""

import pytest
from doubles.system.sysfs import first_reading, listed

from bench.diagnostics import forbids_energy
from bench.meters.errors import MeterError
from bench.meters.kinds.hwmon import find_sensors
from bench.meters.registry import default_specs, make_meter
from hardware_profiles.errors import InputError

GRACE = ("Grace Power Socket", "CPU Power Socket", "SysIO Power Socket", "Module Power Socket")


def epyc(tree, sockets=1, cores=12, driver="amd_energy"):
    """Add the counters of AMD's driver: its cores first, then its sockets."""
    labels = [f"Ecore{core:03d}" for core in range(cores)] + [f"Esocket{socket}" for socket in range(sockets)]
    files = {}
    for number, label in enumerate(labels, 1):
        files |= {f"energy{number}_input": number * 10**9, f"energy{number}_label": label}
    return tree.card(3, driver, "platform/amd_energy.0", **files)


def grace(tree, sockets=2):
    """Add the ACPI meters of Grace, one device each, in the order of their addresses."""
    for number in range(sockets * len(GRACE)):
        socket, rail = divmod(number, len(GRACE))
        tree.card(
            number,
            "power_meter",
            f"LNXSYSTM:00/ACPI000D:{number:02x}",
            power1_average=(number + 1) * 10**7,
            power1_average_interval=50,
            power1_oem_info=f"{GRACE[rail]} {socket}",
        )


@pytest.mark.parametrize("driver", ["amd_energy", "zenergy"])
def test_sockets_are_summed_and_chosen_before_cores(tree, driver):
    folder = epyc(tree, sockets=2, driver=driver)
    assert default_specs("cpu") == [f"hwmon:{driver}"]
    meter = make_meter(f"hwmon:{driver}")
    meter._info = meter.connect()
    meter.take()
    for number in range(1, 15):
        tree.set(folder / f"energy{number}_input", number * 10**9 + number * 10**6)
    meter.take()
    assert [reading.value for reading in meter.readings()] == [0.0, 13.0 + 14.0]
    assert (meter.info.boundary, meter.info.covers) == ("package", ("cpu",))
    assert "Esocket0 + Esocket1" in meter.info.scope
    assert sorted(listed("hwmon")) == [f"hwmon:{driver}", f"hwmon:{driver}/Ecore"]
    assert make_meter(f"hwmon:{driver}@amd_energy.0").info == make_meter(f"hwmon:{driver}").info
    assert listed("hwmon")[f"hwmon:{driver}/Ecore"].boundary == "chip"


@pytest.mark.parametrize(
    ("target", "boundary", "sensors"),
    [("Esocket0", "chip", 1), ("energy14_input", "chip", 1), ("Ecore003", "chip", 1), ("Ecore", "chip", 12)],
)
def test_a_part_of_the_sockets_is_not_called_package(tree, target, boundary, sensors):
    epyc(tree, sockets=2)
    meter = make_meter(f"hwmon:amd_energy/{target}")
    assert (meter.info.boundary, len(meter.sensors)) == (boundary, sensors)
    with pytest.raises(InputError, match=r"boundary: expected chip.*got 'package'"):
        make_meter(f"hwmon:amd_energy/{target},boundary=package")


def test_rails_of_zenpower_are_parts_and_none_is_taken(tree):
    files = {"power1_input": 52 * 10**6, "power1_label": "SVI2_P_Core", "power2_input": 9 * 10**6}
    tree.card(1, "zenpower", "pci0000:00/0000:00:18.3", **files, power2_label="SVI2_P_SoC")
    assert default_specs("cpu") == []
    assert {meter.boundary for meter in listed("hwmon").values()} == {"chip"}
    with pytest.raises(InputError, match=r"one of zenpower/power1_input \(SVI2_P_Core\), zenpower/power2_input"):
        make_meter("hwmon:zenpower")
    assert first_reading("hwmon:zenpower/SVI2_P_SoC")[0] == 9.0


def test_cards_of_one_driver_have_names_by_their_address(tree):
    for index, address in enumerate(("0000:03:00.0", "0000:83:00.0")):
        files = {"power1_average": (index + 1) * 10**7, "power1_label": "slowPPT", "power1_input": 1}
        tree.card(index + 4, "amdgpu", f"pci0000:00/{address}", **files)
    names = ["hwmon:amdgpu@0000:03:00.0/power1_average", "hwmon:amdgpu@0000:83:00.0/power1_average"]
    assert [spec for spec in listed("hwmon") if spec.endswith("average")] == names
    for target in ("amdgpu@0000:83:00.0", "amdgpu@hwmon5", "hwmon5", "0000:83:00.0/slowPPT"):
        value, info = first_reading(f"hwmon:{target}")
        assert (value, info.name, info.averaging_s) == (20.0, names[1], 1.0)
    with pytest.raises(InputError, match=r"one of amdgpu@0000:03:00\.0/power1_average .*amdgpu@0000:83:00\.0"):
        make_meter("hwmon:amdgpu")


def test_cards_without_an_address_are_named_by_their_folder(tree):
    for index in (2, 10):
        tree.card(index, "lab_psu", "", power1_input=index * 10**6)
    assert list(listed("hwmon")) == [f"hwmon:lab_psu@hwmon{n}/power1_input,boundary=BOUNDARY" for n in (2, 10)]
    assert first_reading("hwmon:lab_psu@hwmon10,boundary=node")[0] == 10.0


@pytest.mark.parametrize(
    ("driver", "files", "target", "boundary"),
    [
        ("xe", {"energy1_input": 5, "energy1_label": "card", "energy2_input": 3, "energy2_label": "pkg"}, "", "board"),
        ("xe", {"energy2_input": 3, "energy2_label": "pkg"}, "", "package"),
        ("xe", {"energy2_input": 3}, "", "package"),
        ("i915", {"energy1_input": 3}, "", "board"),
        ("i915_gt0", {"energy1_input": 3}, "", "chip"),
        ("fam15h_power", {"power1_input": 3}, "", "package"),
        ("amd_hsmp_hwmon", {"power1_input": 3}, "", "package"),
        ("power_meter", {"power1_average": 3}, "", "node"),
        ("ina238", {"power1_input": 3, "label": "VIN"}, "", "board"),
    ],
)
def test_a_sensor_has_the_boundary_of_its_driver_and_label(tree, driver, files, target, boundary):
    tree.card(0, driver, "pci0000:00/0000:03:00.0", **files)
    assert make_meter(f"hwmon:{driver}{target}").info.boundary == boundary


def test_a_gpu_is_never_taken_for_the_cpu(tree):
    tree.card(0, "xe", "pci0000:00/0000:03:00.0", energy2_input=3, energy2_label="pkg")
    tree.card(1, "amdgpu", "pci0000:00/0000:04:00.0", power1_average=3)
    assert default_specs("cpu") == []
    assert all("cpu" not in make_meter(spec).info.covers for spec in listed("hwmon"))


def test_sockets_that_are_devices_of_their_own_are_summed(tree):
    for socket in range(2):
        tree.card(socket, "amd_hsmp_hwmon", f"platform/AMDI0097:0{socket}", power1_input=(socket + 1) * 10**8)
    assert default_specs("cpu") == ["hwmon:amd_hsmp_hwmon"]
    assert first_reading("hwmon:amd_hsmp_hwmon")[0] == 300.0
    assert first_reading("hwmon:amd_hsmp_hwmon@AMDI0097:01")[1].boundary == "chip"


def test_grace_sockets_are_summed_without_their_rails_and_modules(tree):
    grace(tree)
    assert default_specs("cpu") == ["hwmon:power_meter"]
    value, info = first_reading("hwmon:power_meter")
    assert (value, info.boundary, info.averaging_s) == (10.0 + 50.0, "package", 0.05)
    assert first_reading("hwmon:power_meter/Module Power Socket")[1].boundary == "board"
    assert first_reading("hwmon:power_meter/SysIO Power Socket 1")[1].boundary == "chip"
    assert first_reading("hwmon:power_meter/CPU Power Socket")[:1] == (20.0 + 60.0,)


def test_a_driver_of_the_old_interface_keeps_its_files_with_the_device(tree):
    tree.card(0, "power_meter", "LNXSYSTM:00/ACPI000D:00", at_device=True, power1_average=75 * 10**6)
    assert first_reading("hwmon:power_meter")[0] == 75.0


@pytest.mark.parametrize(
    ("text", "accuracy"), [("95.0%", 0.05), ("2.5%", 0.025), ("100.0%", None), ("0.0%", None), ("high", None)]
)
def test_the_accuracy_of_the_driver_is_used(tree, text, accuracy):
    tree.card(0, "power_meter", "LNXSYSTM:00/ACPI000D:00", power1_average=1, power1_accuracy=text)
    info = make_meter("hwmon:power_meter").info
    assert info.accuracy_frac == (None if accuracy is None else pytest.approx(accuracy))
    assert (info.tier, "power1_accuracy" in info.accuracy_source) == ("C", False)
    assert ("powerN_accuracy" in info.accuracy_source) == (accuracy is not None)
    assert make_meter("hwmon:power_meter,accuracy=1%").info.accuracy_frac == 0.01


def sleeping(tree, status="suspended"):
    card = tree.card(0, "amdgpu", "pci0000:00/0000:03:00.0", power1_average=0)
    tree.write(card / "device/power/runtime_status", status)
    return card


def test_a_card_that_sleeps_is_named_so_and_not_woken(tree):
    sleeping(tree)
    (found,) = listed("hwmon").values()
    assert (found.usable, found.reason) == (False, "the device is asleep and gives no power")
    assert "power/control" in found.cure
    with pytest.raises(MeterError, match="asleep"):
        make_meter("hwmon:amdgpu").open()


def test_a_card_that_falls_asleep_is_missing_and_not_at_0_w(tree):
    card = sleeping(tree, "active")
    tree.set(card / "power1_average", 21 * 10**6)
    meter = make_meter("hwmon:amdgpu")
    meter._info = meter.connect()
    meter.take()
    tree.set(card / "power1_average", 0)
    tree.set(card / "device/power/runtime_status", "suspended")
    meter.take()
    assert [reading.value for reading in meter.readings()] == [21.0, None]
    assert meter.readings()[-1].codes == ("device_asleep",)
    assert forbids_energy("device_asleep")


@pytest.mark.parametrize(("number", "words"), [(1, "refuses to read"), (16, "cannot be read: .*busy")])
def test_a_driver_that_refuses_a_read_is_not_cured_by_permissions(tree, monkeypatch, number, words):
    card = sleeping(tree, "active")
    real = type(card).read_text

    def refuse(path, *args, **kwargs):
        if path.name == "power1_average":
            raise OSError(number, "Device or resource busy" if number == 16 else "Operation not permitted")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(type(card), "read_text", refuse)
    with pytest.raises(MeterError, match=words) as refused:
        make_meter("hwmon:amdgpu").open()
    assert "chmod" not in str(refused.value)


def test_a_file_that_only_root_can_read_has_the_cure(tree, monkeypatch):
    folder = epyc(tree)
    real = type(folder).read_text

    def refuse(path, *args, **kwargs):
        if path.name == "energy13_input":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(type(folder), "read_text", refuse)
    found = listed("hwmon")["hwmon:amd_energy"]
    assert (found.usable, found.cure) == (False, f"sudo chmod a+r {folder / 'energy13_input'}")
    assert default_specs("cpu") == []


def test_a_register_that_holds_no_value_is_not_usable(tree):
    tree.card(0, "power_meter", "LNXSYSTM:00/ACPI000D:00", power1_average=4_294_967_295_000)
    (found,) = listed("hwmon").values()
    assert (found.usable, "4294967.295 W" in found.reason) == (False, True)
    with pytest.raises(MeterError, match="holds no value"):
        make_meter("hwmon:power_meter").open()


def test_power_is_in_watts_and_a_failed_read_is_missing(tree):
    card = tree.card(1, "amdgpu", "pci0000:00/0000:03:00.0", power1_average=120 * 10**6)
    meter = make_meter("hwmon:amdgpu")
    meter._info = meter.connect()
    meter.take()
    tree.set(card / "power1_average", "N/A")
    meter.take()
    assert [reading.value for reading in meter.readings()] == [120.0, None]


def test_the_boundary_must_be_stated_where_it_is_not_known(tree):
    tree.card(3, "mystery", "i2c-1/1-0041", power1_input=7 * 10**6, power1_average_interval=2000)
    assert list(listed("hwmon")) == ["hwmon:mystery/power1_input,boundary=BOUNDARY"]
    with pytest.raises(InputError, match="boundary: expected the boundary of this sensor"):
        make_meter("hwmon:mystery")
    info = make_meter("hwmon:mystery,boundary=board").info
    assert (info.boundary, info.averaging_s, info.period_s) == ("board", 2.0, 2.0)


def test_counters_without_labels_are_not_called_sockets(tree):
    tree.card(3, "amd_energy", "platform/amd_energy.0", energy1_input=1)
    assert default_specs("cpu") == []
    with pytest.raises(InputError, match="boundary"):
        make_meter("hwmon:amd_energy")


@pytest.mark.parametrize(("target", "words"), [("amdgpo", "did you mean amdgpu"), ("", "expected one of amdgpu")])
def test_a_sensor_must_be_named(tree, target, words):
    tree.card(1, "amdgpu", "pci0000:00/0000:03:00.0", power1_average=1)
    with pytest.raises(InputError, match=words):
        make_meter(f"hwmon:{target}")


def test_a_device_that_a_container_hides_is_passed_over(tree):
    tree.card(1, "amdgpu", "pci0000:00/0000:03:00.0", power1_average=1)
    (tree.hwmon_class / "hwmon0").symlink_to(tree.root / "hidden")
    assert list(listed("hwmon")) == ["hwmon:amdgpu/power1_average"]


def test_no_sensor_at_all_is_one_line_with_the_cure(tmp_path):
    assert find_sensors(tmp_path) == []
    with pytest.raises(MeterError, match=r"no power or energy sensor.*shelly"):
        make_meter(f"hwmon,root={tmp_path}")

"""`doctor` on six recorded machines: which meter a run takes by itself there, and what it says of the others."""

import json

import pytest
from doubles.system.machines import MACHINES
from doubles.system.sysfs import SysTree

from bench.meters.kinds.nvml import kind
from bench.meters.registry import default_specs, make_meter
from bench.meters.system_files import system_root


@pytest.fixture
def diagnosed(perwatt, tmp_path, monkeypatch):
    """Return the meters of a recorded machine by their specs, and the one that a run takes by itself."""

    def no_binding():
        raise ImportError("No module named 'pynvml'")

    monkeypatch.setattr(kind, "load", no_binding)

    def diagnose(name):
        tree = SysTree(tmp_path / name)
        MACHINES[name](tree)
        with system_root(tree.root):
            document = json.loads(perwatt("doctor", "--json").stdout)
            text = perwatt("doctor").stdout
            assert default_specs("cpu") == [d["spec"] for d in document["default_meters"] if d["spec"]]
        return {meter["spec"]: meter for meter in document["meters"]}, document["default_meters"][0], text

    return diagnose


@pytest.mark.parametrize(
    ("machine", "spec", "why"),
    [
        ("amd_two_dies", "rapl", "all CPU packages"),
        ("intel_two_sockets", "rapl", "all CPU packages"),
        ("threadripper", "rapl", "all CPU packages"),
        ("jetson", "hwmon:ina3221/VDD_IN", "input of the whole module"),
        ("container", "", "a container hides /sys/devices/virtual/powercap"),
        ("desktop", "rapl", "all CPU packages"),
    ],
)
def test_doctor_names_the_meter_that_a_run_takes(diagnosed, machine, spec, why):
    meters, default, text = diagnosed(machine)
    assert (default["device"], default["spec"]) == ("cpu", spec)
    assert why in default["why"]
    assert f"without --meter, a run on cpu takes {spec or 'no meter'}: " in text
    if spec:
        assert meters[spec]["usable"]


def test_parts_of_a_machine_are_listed_as_parts(diagnosed):
    meters, _, _ = diagnosed("threadripper")
    rails = [meter for spec, meter in meters.items() if spec.startswith("hwmon:zenpower")]
    assert {meter["boundary"] for meter in rails} == {"chip"}
    assert len(rails) == 4
    assert "hwmon:zenpower@0000:00:19.3/power2_input" in meters
    assert meters["hwmon:amdgpu/power1_average"]["boundary"] == "board"


def test_the_cores_of_amd_are_not_usable_and_its_sockets_are(diagnosed):
    meters, _, _ = diagnosed("amd_two_dies")
    assert not meters["rapl:core"]["usable"]
    assert meters["hwmon:amd_energy"]["boundary"] == "package"
    assert meters["hwmon:amd_energy/Ecore"]["boundary"] == "chip"


def test_the_platform_zone_and_the_memory_are_meters_of_their_own(diagnosed):
    meters, _, _ = diagnosed("intel_two_sockets")
    assert [meters[f"rapl:{domain}"]["boundary"] for domain in ("psys", "dram")] == ["node", "board"]
    assert meters["hwmon:power_meter/power1_average"]["boundary"] == "node"


def test_a_sleeping_card_is_not_usable_and_the_other_has_its_address(diagnosed):
    meters, _, _ = diagnosed("desktop")
    asleep = meters["hwmon:amdgpu@0000:03:00.0/power1_average"]
    assert (asleep["usable"], "asleep" in asleep["reason"]) == (False, True)
    assert meters["hwmon:amdgpu@0000:0d:00.0/power1_input"]["usable"]
    assert not meters["amdsmi:0"]["usable"]


@pytest.mark.parametrize("machine", ["amd_two_dies", "intel_two_sockets", "jetson", "desktop", "threadripper"])
def test_every_meter_that_doctor_calls_usable_opens(diagnosed, clock, tmp_path, machine):  # noqa: ARG001 (as below)
    meters, _, _ = diagnosed(machine)
    own = [spec for spec, meter in meters.items() if meter["usable"] and spec.startswith(("rapl", "hwmon"))]
    assert own
    with system_root(tmp_path / machine):
        for spec in own:
            meter = make_meter(spec)
            meter.open()  # counters that stand still are watched for a while, in the clock's time
            meter.close()
            assert meter.info.boundary == meters[spec]["boundary"]

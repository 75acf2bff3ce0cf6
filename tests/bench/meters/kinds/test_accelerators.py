"""Accelerators of AMD, Intel and NVIDIA with Grace: each is readable, or `doctor` says why not and what to do."""

# ruff: noqa: N802 (the names are NVML's)

import json
from types import SimpleNamespace

import pytest
from doubles.system.sysfs import first_reading

from bench.meters.kinds.nvml import kind
from bench.meters.registry import default_specs, entry, make_meter

CARD = "pci0000:00/0000:03:00.0"


@pytest.fixture
def doctor(perwatt):
    """Return the meters that `perwatt doctor` lists, by their specs."""
    return lambda: {meter["spec"]: meter for meter in json.loads(perwatt("doctor", "--json").stdout)["meters"]}


def intel_card(tree, address="0000:03:00.0", driver="xe"):
    """Add a graphics card of Intel as DRM shows it."""
    device = tree.root / "sys/devices/pci0000:00" / address
    tree.write(device / "vendor", "0x8086")
    tree.link(device / "driver", tree.root / f"sys/bus/pci/drivers/{driver}")
    tree.link(tree.root / "sys/class/drm/card1/device", device)


@pytest.mark.parametrize("driver", ["xe", "i915"])
def test_a_card_of_intel_is_read_by_its_energy(tree, doctor, driver):
    intel_card(tree, driver=driver)
    tree.card(0, driver, CARD, energy1_input=5 * 10**6, energy1_label="card", energy2_input=3 * 10**6)
    meters = doctor()
    assert meters[f"hwmon:{driver}/energy1_input"]["usable"]
    assert make_meter(f"hwmon:{driver}").info.boundary == "board"
    assert not any("gives no energy" in meter["reason"] for meter in meters.values())


@pytest.mark.parametrize("driver", ["xe", "i915"])
def test_a_card_of_intel_whose_driver_gives_no_energy_is_named_with_the_cure(tree, doctor, driver):
    intel_card(tree, driver=driver)
    found = doctor()[f"hwmon:{driver}@0000:03:00.0"]
    assert (found["usable"], found["boundary"]) == (False, "board")
    assert found["reason"] == f"the driver {driver} gives no energy of this card"
    assert found["cure"].startswith("update Linux")


def test_the_graphics_of_a_cpu_are_no_card(tree, doctor):
    intel_card(tree, "0000:00:02.0", "i915")
    assert not any("i915" in spec for spec in doctor())


def test_a_card_of_amd_is_read_by_hwmon_where_its_binding_is_missing(tree, doctor):
    tree.card(0, "amdgpu", CARD, power1_average=211 * 10**6, power1_label="PPT")
    tree.write(tree.root / "sys/module/amdgpu/initstate", "live")
    meters = doctor()
    assert meters["hwmon:amdgpu/power1_average"]["usable"]
    assert meters["hwmon:amdgpu/power1_average"]["boundary"] == "board"
    assert (meters["amdsmi:0"]["usable"], "amdsmi is not installed" in meters["amdsmi:0"]["reason"]) == (False, True)
    assert "install ROCm's amdsmi" in meters["amdsmi:0"]["cure"]


def superchip(tree, sockets):
    """Add the ACPI meters of a machine with Grace, as GH200 and GB200 label them."""
    for socket in range(sockets):
        for rail, watts in enumerate((300, 250, 40, 1200)):
            label = ("Grace Power Socket", "CPU Power Socket", "SysIO Power Socket", "Module Power Socket")[rail]
            number = socket * 4 + rail
            tree.card(
                number, "power_meter", f"LNXSYSTM:00/ACPI000D:{number:02x}", power1_average=watts * 10**6,
                power1_average_interval=50, power1_oem_info=f"{label} {socket}",
            )  # fmt: skip


@pytest.mark.parametrize("sockets", [1, 2])
def test_grace_and_its_modules_are_read_apart(tree, doctor, sockets):
    superchip(tree, sockets)
    meters = doctor()
    modules = [meter for spec, meter in meters.items() if "Module" in spec]
    assert modules
    assert all(meter["usable"] and meter["boundary"] == "board" for meter in modules)
    assert default_specs("cpu") == ["hwmon:power_meter"]
    assert first_reading("hwmon:power_meter")[0] == 300.0 * sockets
    assert first_reading("hwmon:power_meter/Module Power Socket")[0] == 1200.0 * sockets


class Nvml:
    """NVML of machines with one GPU of a name, and the scopes that its fields have."""

    NVMLError = RuntimeError

    def __init__(self, name, scopes):
        self.name, self.scopes = name, scopes
        self.sessions = 0

    def nvmlInit(self):
        self.sessions += 1

    def nvmlShutdown(self):
        self.sessions -= 1

    def nvmlDeviceGetCount(self):
        return 1

    def nvmlDeviceGetHandleByIndex(self, index):
        assert self.sessions > 0
        return index

    def nvmlDeviceGetUUID(self, _):
        return "GPU-1"

    def nvmlDeviceGetName(self, _):
        assert self.sessions > 0
        return self.name

    def nvmlDeviceGetEnforcedPowerLimit(self, _):
        return 900_000

    def nvmlDeviceGetTotalEnergyConsumption(self, _):
        return 10**6

    def nvmlDeviceGetPowerUsage(self, _):
        return 400_000

    def nvmlDeviceGetFieldValues(self, _, asked):
        scope = asked[0][1]
        value = SimpleNamespace(uiVal=900_000 if scope else 400_000)
        return [SimpleNamespace(nvmlReturn=0 if scope in self.scopes else 3, scopeId=scope, value=value)]


@pytest.mark.parametrize("name", ["NVIDIA GH200 480GB", "NVIDIA GB200", "NVIDIA GB300"])
def test_the_module_of_a_superchip_is_listed_and_read(monkeypatch, name):
    nvml = Nvml(name, scopes={0, 1})
    monkeypatch.setattr(kind, "load", lambda: nvml)
    board, module = entry("nvml").find()
    assert (board.spec, module.spec, module.usable) == ("nvml:0", "nvml:0,scope=module", True)
    assert "name one GPU of each module" in module.reads
    assert nvml.sessions == 0
    meter = kind.Nvml("0", scope="module", nvml=nvml)
    info = meter._info = meter.connect()
    assert (info.boundary, info.covers) == ("board", ("gpu:GPU-1", "cpu"))
    assert meter.read_once()[0] == 900.0


def test_a_superchip_whose_driver_gives_no_module_power_says_so(monkeypatch):
    monkeypatch.setattr(kind, "load", lambda: Nvml("NVIDIA GB200", scopes={0}))
    _, module = entry("nvml").find()
    assert not module.usable
    assert module.reason == "the driver gives no power of this GPU's module"
    assert "hwmon:power_meter" in module.cure


def test_a_gpu_without_a_grace_cpu_has_no_module(monkeypatch):
    monkeypatch.setattr(kind, "load", lambda: Nvml("NVIDIA H200", scopes={0, 1}))
    assert [found.spec for found in entry("nvml").find()] == ["nvml:0"]

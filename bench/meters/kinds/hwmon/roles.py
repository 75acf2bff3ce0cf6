"""What the sensors of known drivers cover, by driver and label; any other sensor is asked about.

References
----------
Linux Documentation/hwmon/amd_energy.rst, fam15h_power.rst and acpi_power_meter.rst; Documentation/gpu/amdgpu/thermal;
Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon and sysfs-driver-intel-xe-hwmon; drivers/platform/x86/amd/hsmp;
NVIDIA Grace Performance Tuning Guide (power telemetry); NVIDIA Jetson Linux Developer Guide (INA3221 rails).
"""

import re
from dataclasses import dataclass

from bench.meters.kinds.hwmon.sensors import Sensor
from hardware_profiles.provenance import Boundary

CPU, GPU, OTHER = ("cpu",), ("gpu:other",), ("part",)  # no workload runs on GPUs of other makers


@dataclass(frozen=True, slots=True)
class Role:
    """What a sensor covers."""

    boundary: Boundary | None  # None if it is not known
    covers: tuple[str, ...]  # devices whose power it reads; empty for the whole machine or unknown
    words: str
    whole: bool = False  # whether it reads the whole of its device, and may stand for its driver
    per_socket: bool = False  # whether the device's whole is the sum over the sockets


UNKNOWN = Role(None, (), "not known")
_SOCKETS = Role("package", CPU, "all CPU sockets; memory is outside", whole=True, per_socket=True)
_MACHINE = "the machine, as its firmware defines it"

# words in the labels of ACPI meters that read a part of the machine
_PARTS = "cpu|gpu|processor|socket|package|memory|mem|dimm|dram|fan|disk|drive|psu|supply|pcie?|rail"

# driver, label (the channel where it has none) and role; the first match counts
_ROLES: tuple[tuple[str, str, Role], ...] = (
    ("amd_energy|zenergy", r"Esocket\d+", _SOCKETS),
    ("amd_energy|zenergy", r"Ecore\d+", Role("chip", CPU, "CPU cores alone")),
    ("fam15h_power|amd_hsmp_hwmon", r".*", _SOCKETS),
    ("zenpower", r".*", Role("chip", CPU, "one supply rail of the CPU; the other rails are outside")),
    ("amdgpu", r".*", Role("board", GPU, "the graphics card; of a CPU with graphics, the whole CPU", whole=True)),
    ("xe|i915", r"card|energy1|power1", Role("board", GPU, "the graphics card", whole=True)),
    ("xe|i915", r"pkg|energy2|power2", Role("package", GPU, "the GPU's package, without the rest of the card")),
    ("xe|i915|i915_gt\\d+", r".*", Role("chip", GPU, "one part of the GPU")),
    ("power_meter", r"Grace Power Socket \d+", _SOCKETS),
    ("power_meter", r"(Grace )?CPU Power.*", Role("chip", CPU, "the CPU rail alone, without SysIO")),
    ("power_meter", r"(Grace )?SysIO.*", Role("chip", OTHER, "the SysIO rail alone")),
    ("power_meter", r"Module.*", Role("board", (), "the module: its CPU, GPU and memory", per_socket=True)),
    ("power_meter", rf"(?i)(?:.*[\W_])?(?:{_PARTS})s?(?:[\W_\d].*)?", UNKNOWN),
    ("power_meter", r".*", Role("node", (), _MACHINE, whole=True)),
    (r"ina\d+", r"VDD_IN|POM_5V_IN|VDD_MUX|VIN", Role("board", (), "input of the whole module", whole=True)),
    (r"ina\d+", r"(VDD|POM|VIN)_.*CPU.*|CPU", Role("chip", CPU, "one rail of the module")),
    (r"ina\d+", r"(VDD|POM|VIN)_.*|GPU|SOC|CV|VDDRQ|SYS5V|VDDQ_.*", Role("chip", OTHER, "one rail of the module")),
)


def role_of(sensor: Sensor) -> Role:
    """Return what a sensor covers."""
    text = sensor.label or sensor.channel
    for driver, label, role in _ROLES:
        if re.fullmatch(driver, sensor.driver) and re.fullmatch(label, text):
            return role
    return UNKNOWN

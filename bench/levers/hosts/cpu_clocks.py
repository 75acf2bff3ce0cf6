"""The lever of this machine's CPU: the highest clock that its governor may choose, for all cores alike.

The kernel takes it for each policy of cpufreq. It wants the rights of an administrator and is lost at a reboot.

References
----------
Linux Documentation/admin-guide/pm/cpufreq.rst: `scaling_max_freq`, `cpuinfo_min_freq`, `cpuinfo_max_freq`.
"""

from collections.abc import Mapping
from pathlib import Path

from bench.levers.hosts.one_value import State, UnsetError, ValueLever
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.machine.identity import machine_key
from bench.machine.sysfs import read, whole_number
from hardware_profiles.errors import InputError, shown

ROOT = Path("/sys/devices/system/cpu/cpufreq")
_STEP_MHZ = 100.0


class CpuClocks(ValueLever):
    """The highest clock of all cores.

    Parameters
    ----------
    root
        Folder of the policies.
    """

    def __init__(self, root: Path = ROOT) -> None:
        super().__init__("MHz", _STEP_MHZ)
        self._root = root

    def _read(self) -> State:
        policies = self._policies()
        clocks = {policy.name: _khz(policy / "scaling_max_freq") for policy in policies}
        lowest = max(_khz(policy / "cpuinfo_min_freq") for policy in policies)
        highest = min(_khz(policy / "cpuinfo_max_freq") for policy in policies)
        value = max(clocks.values())
        return State(
            {"scaling_max_khz": clocks}, value * 1e-3, lowest * 1e-3, highest * 1e-3, highest * 1e-3,
            identity=machine_key() or None,
        )  # fmt: skip

    def _write(self, value: float) -> None:
        self._put({policy.name: round(value * 1e3) for policy in self._policies()})

    def _put_back(self, setting: Setting) -> None:
        self._put(setting["scaling_max_khz"])

    def _put(self, clocks: Mapping[str, int]) -> None:
        """Write each clock within its policy's own range, and see that the kernel took it."""
        for policy in self._policies():
            if policy.name not in clocks:
                raise UnsetError(f"config_incomplete: the setting lacks {policy.name}")
            lowest, highest = _khz(policy / "cpuinfo_min_freq"), _khz(policy / "cpuinfo_max_freq")
            try:
                (policy / "scaling_max_freq").write_text(str(min(max(clocks[policy.name], lowest), highest)))
            except PermissionError:
                raise UnsetError("no_permission: setting clocks wants the rights of an administrator") from None
            except OSError as error:
                raise UnsetError(f"refused: {policy.name}: {error.strerror}") from None

    def _policies(self) -> list[Path]:
        policies = sorted(self._root.glob("policy[0-9]*"))
        if not policies:
            raise UnsetError("no_answer: this kernel has no cpufreq, as in most virtual machines")
        return policies

    def _value_of(self, setting: Setting) -> float | None:
        clocks = setting.get("scaling_max_khz")
        if not isinstance(clocks, dict):
            return None
        whole = [clock for clock in clocks.values() if type(clock) is int]
        return max(whole) * 1e-3 if whole and len(whole) == len(clocks) else None


def _khz(path: Path) -> int:
    clock = whole_number(read(path))
    if clock is None or clock <= 0:
        raise UnsetError(f"read_failed: {path.name} shows no clock")
    return clock


def make(address: str, _options: Mapping[str, str]) -> CpuClocks:
    """Return the lever of this machine's CPU.

    Raises
    ------
    InputError
        Another machine is named.
    """
    if address != "local":
        raise InputError.at("address", expected="local: the CPU of this machine", got=shown(address))
    return CpuClocks()


ENTRY = LeverKind("cpu_clocks", "highest clock of this machine's CPU", "local, as in cpu_clocks:local", make)

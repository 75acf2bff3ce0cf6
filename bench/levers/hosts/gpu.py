"""Levers of an NVIDIA GPU through NVML: its power limit, and its application clocks.

Both want the rights of an administrator, and both are lost when the driver unloads, which it does without persistence
mode as soon as nobody uses the GPU. Clocks are set as application clocks, because these can be read back; locked clocks
cannot, so that nobody could bring them back.

References
----------
NVML API reference: nvmlDeviceSetPowerManagementLimit, nvmlDeviceSetApplicationsClocks.
"""

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from bench.levers.hosts.one_value import State, UnsetError, ValueLever
from bench.levers.protocol import Setting
from bench.levers.registry import LeverKind
from bench.meters.kinds.nvml.faults import NO_ANSWER, fault, text_of
from bench.meters.kinds.nvml.meter import handle_of, load
from hardware_profiles.errors import InputError, shown

_ABOVE = 1.05  # of the limit: a power above it has not come down yet
_GRAPHICS, _MEMORY, _DIE = 0, 2, 0  # NVML_CLOCK_GRAPHICS, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU
_NO_PERMISSION = 4


class GpuLever(ValueLever):
    """A GPU, by index or UUID.

    Parameters
    ----------
    target
        Index or UUID.
    unit, step
        As in `ValueLever`.
    nvml
        NVML's binding. [default: that which is installed]
    """

    def __init__(self, target: str, unit: str, step: float, nvml: Any = None) -> None:
        super().__init__(unit, step)
        self._target, self._nvml, self._open = target, nvml, False

    def _read(self) -> State:
        nvml, handle = self._opened()
        try:
            return self._state_of(nvml, handle)
        except (nvml.NVMLError, *NO_ANSWER) as error:
            raise self._failed(error) from None

    def _write(self, value: float) -> None:
        self._set(lambda nvml, handle: self._send(nvml, handle, value))

    def _set(self, send: Callable[[Any, Any], None]) -> None:
        nvml, handle = self._opened()
        try:
            send(nvml, handle)
        except (nvml.NVMLError, *NO_ANSWER) as error:
            raise self._failed(error) from None

    def _opened(self) -> tuple[Any, Any]:
        """Return the driver and the GPU; it is found anew each time, because an index may name another after a fall."""
        try:
            self._nvml = self._nvml or load()
            if not self._open:
                self._nvml.nvmlInit()
                self._open = True
            return self._nvml, handle_of(self._nvml, self._target)
        except Exception as error:  # noqa: BLE001 (NVMLError is a class of the optional package)
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> UnsetError:
        known = fault(f"gpu {self._target}", error)
        if getattr(error, "value", 0) == _NO_PERMISSION:
            return UnsetError("no_permission: setting a GPU wants the rights of an administrator")
        return UnsetError(
            f"no_answer: {known.reason}; {known.cure}" if self._state is None else f"read_failed: {known}"
        )

    def _seen(self, nvml: Any, handle: Any) -> dict[str, Any]:
        """Return what both levers show of a GPU."""
        errors = (nvml.NVMLError, *NO_ANSWER)
        power_w = heat_c = None
        persistent = True
        with contextlib.suppress(*errors):
            power_w = nvml.nvmlDeviceGetPowerUsage(handle) * 1e-3
        with contextlib.suppress(*errors):
            heat_c = float(nvml.nvmlDeviceGetTemperature(handle, _DIE))
        with contextlib.suppress(*errors):
            persistent = bool(nvml.nvmlDeviceGetPersistenceMode(handle))
        return {
            "identity": text_of(nvml.nvmlDeviceGetUUID, handle, errors),
            "power_w": power_w,
            "hottest_c": heat_c,
            "reasons": () if persistent else ("not_persistent",),
        }

    async def close(self) -> None:
        """Shut NVML down."""
        if self._open:
            self._open = False
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()

    @abstractmethod
    def _state_of(self, nvml: Any, handle: Any) -> State:
        """Return what NVML shows of the setting."""

    @abstractmethod
    def _send(self, nvml: Any, handle: Any, value: float) -> None:
        """Set a value."""


class GpuPower(GpuLever):
    """The power limit of a GPU."""

    def __init__(self, target: str, nvml: Any = None) -> None:
        super().__init__(target, "W", 10.0, nvml)

    def _state_of(self, nvml: Any, handle: Any) -> State:
        limit_mw = nvml.nvmlDeviceGetPowerManagementLimit(handle)
        lowest_mw, highest_mw = nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle)
        usual_mw = nvml.nvmlDeviceGetPowerManagementDefaultLimit(handle)
        seen = self._seen(nvml, handle)
        over = seen["power_w"] is not None and seen["power_w"] > _ABOVE * limit_mw * 1e-3
        return State(
            {"limit_mw": int(limit_mw)}, limit_mw * 1e-3, lowest_mw * 1e-3, highest_mw * 1e-3, usual_mw * 1e-3,
            fits=not over, **{**seen, "reasons": (*seen["reasons"], *(("power_off_target",) if over else ()))},
        )  # fmt: skip

    def _send(self, nvml: Any, handle: Any, value: float) -> None:
        lowest_mw, highest_mw = nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle)
        nvml.nvmlDeviceSetPowerManagementLimit(handle, min(max(round(value * 1e3), lowest_mw), highest_mw))

    def _put_back(self, setting: Setting) -> None:
        self._set(lambda nvml, handle: nvml.nvmlDeviceSetPowerManagementLimit(handle, setting["limit_mw"]))

    def _value_of(self, setting: Setting) -> float | None:
        limit_mw = setting.get("limit_mw")
        return limit_mw * 1e-3 if isinstance(limit_mw, int) and not isinstance(limit_mw, bool) else None


class GpuClocks(GpuLever):
    """The application clock of a GPU's cores, with the memory clock that is there."""

    def __init__(self, target: str, nvml: Any = None) -> None:
        super().__init__(target, "MHz", 15.0, nvml)

    def _state_of(self, nvml: Any, handle: Any) -> State:
        core = nvml.nvmlDeviceGetApplicationsClock(handle, _GRAPHICS)
        memory = nvml.nvmlDeviceGetApplicationsClock(handle, _MEMORY)
        known = nvml.nvmlDeviceGetSupportedGraphicsClocks(handle, memory)
        setting = {"core_mhz": int(core), "memory_mhz": int(memory)}
        usual = max(core, min(known))
        return State(setting, float(core), float(min(known)), float(max(known)), float(usual),
                     **self._seen(nvml, handle))  # fmt: skip

    def _send(self, nvml: Any, handle: Any, value: float) -> None:
        memory = nvml.nvmlDeviceGetApplicationsClock(handle, _MEMORY)
        known = nvml.nvmlDeviceGetSupportedGraphicsClocks(handle, memory)
        nvml.nvmlDeviceSetApplicationsClocks(handle, memory, min(known, key=lambda clock: abs(clock - value)))

    def _put_back(self, setting: Setting) -> None:
        self._set(
            lambda nvml, handle: nvml.nvmlDeviceSetApplicationsClocks(
                handle, setting["memory_mhz"], setting["core_mhz"]
            )
        )

    def _value_of(self, setting: Setting) -> float | None:
        clocks = [setting.get("core_mhz"), setting.get("memory_mhz")]
        whole = all(isinstance(clock, int) and not isinstance(clock, bool) for clock in clocks)
        return float(setting["core_mhz"]) if whole else None


def check_target(address: str) -> str:
    """Return index or UUID of a GPU.

    Raises
    ------
    InputError
        It is neither.
    """
    if not (address.isascii() and address.isdecimal() and len(address) < 4) and not address.startswith("GPU-"):
        raise InputError.at("address", expected="index (0) or UUID (GPU-…) of a GPU", got=shown(address))
    return address


def make_power(address: str, _options: Mapping[str, str]) -> GpuPower:
    """Return the lever of a GPU's power limit."""
    return GpuPower(check_target(address))


def make_clocks(address: str, _options: Mapping[str, str]) -> GpuClocks:
    """Return the lever of a GPU's application clocks."""
    return GpuClocks(check_target(address))


POWER = LeverKind("gpu_power", "power limit of an NVIDIA GPU", "index or UUID of a GPU, as in gpu_power:0", make_power)
CLOCKS = LeverKind(
    "gpu_clocks", "application clocks of an NVIDIA GPU", "index or UUID of a GPU, as in gpu_clocks:0", make_clocks
)

"""The audit of a GPU during the windows, through NVML: throttling, clock, other processes (method rules 11, 16, 17)."""

import contextlib
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any

from bench import limits
from bench.results.record import Reason

SAMPLE_S = 0.05  # [s] between two samples

# NVML clocks event reasons (nvml.h): name -> bit
REASONS = {
    "gpu_idle": 0x1,
    "applications_clocks_setting": 0x2,
    "sw_power_cap": 0x4,
    "hw_slowdown": 0x8,
    "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20,
    "hw_thermal_slowdown": 0x40,
    "hw_power_brake_slowdown": 0x80,
    "display_clock_setting": 0x100,
}
INVALIDATING = ("hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown")
_CLOCK_SM = 1
_SENSOR_GPU = 0


@dataclass(frozen=True, slots=True)
class _Sample:
    t_s: float  # [s, monotonic]
    mask: int | None  # clocks event reasons
    clock_mhz: int | None
    celsius: int | None = None  # [°C]


class GpuAudit:
    """A thread that samples one GPU's throttle reasons and SM clock; only samples within windows count."""

    def __init__(self, index: int = 0, nvml: Any = None) -> None:
        self._index, self._nvml = index, nvml
        self._handle: Any = None
        self._samples: list[_Sample] = []
        self._windows: list[tuple[float, float]] = []
        self._before: dict[str, object] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the settings and start sampling; without NVML nothing is audited, and the record says so."""
        try:
            if self._nvml is None:
                import pynvml

                self._nvml = pynvml
            self._nvml.nvmlInit()
            self._handle = self._nvml.nvmlDeviceGetHandleByIndex(self._index)
        except Exception:  # noqa: BLE001 (no driver or no package: nothing to audit)
            self._handle = None
            return
        self._before = self._settings()
        self._thread = threading.Thread(target=self._watch, name="gpu audit", daemon=True)
        self._thread.start()

    def window(self, start_s: float, end_s: float) -> None:
        """Add a window [s, monotonic] to the audited time."""
        self._windows.append((start_s, end_s))

    def finish(self) -> tuple[dict[str, object], list[Reason]]:
        """Stop, and return the data to store and the codes of what went wrong."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
        if self._handle is None:
            return {"gpu": "not audited: no NVML"}, []
        inside = [sample for sample in self._samples if any(a <= sample.t_s <= b for a, b in self._windows)]
        after = self._settings()
        # Drivers of 2025 and later no longer report a default clock: the highest clock replaces it.
        default_mhz = self._read("nvmlDeviceGetDefaultApplicationsClock", _CLOCK_SM)
        default_mhz = default_mhz or self._read("nvmlDeviceGetMaxClockInfo", _CLOCK_SM)
        stored, reasons = judge(inside, default_mhz)
        others = self._foreign()
        stored.update(settings=after, foreign_processes=others)
        if others:
            reasons.append(Reason(code="foreign_load", detail=f"{len(others)} other processes: pid {others}"))
        changed = [f"{key} {old} to {after[key]}" for key, old in self._before.items() if after[key] != old]
        if changed:
            reasons.append(Reason(code="settings_changed", detail="; ".join(changed)))
        with contextlib.suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()
        return {"gpu": stored}, reasons

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            mask = self._read("nvmlDeviceGetCurrentClocksEventReasons")
            clock = self._read("nvmlDeviceGetClockInfo", _CLOCK_SM)
            celsius = self._read("nvmlDeviceGetTemperatureV", _SENSOR_GPU)  # new drivers; the older call follows
            if celsius is None:
                celsius = self._read("nvmlDeviceGetTemperature", _SENSOR_GPU)
            self._samples.append(_Sample(time.monotonic(), mask, clock, celsius))

    def _settings(self) -> dict[str, object]:
        return {
            "power_limit_mw": self._read("nvmlDeviceGetEnforcedPowerLimit"),
            "applications_clock_sm_mhz": self._read("nvmlDeviceGetApplicationsClock", _CLOCK_SM),
            "ecc": self._read("nvmlDeviceGetEccMode"),
            "mig": self._read("nvmlDeviceGetMigMode"),
            "persistence": self._read("nvmlDeviceGetPersistenceMode"),
        }

    def _foreign(self) -> list[int]:
        from kernels.gpu.device import other_processes

        return sorted(process.pid for process in other_processes(self._read, self._index))

    def _read(self, function: str, *arguments: object) -> Any:
        """Return the answer of an NVML function, or None if this device or driver does not support it."""
        try:
            return getattr(self._nvml, function)(self._handle, *arguments)
        except (self._nvml.NVMLError, AttributeError):
            return None


def judge(inside: list[_Sample], default_mhz: int | None) -> tuple[dict[str, object], list[Reason]]:
    """Return throttling, clock and temperature over samples within windows, and their codes (method rule 11)."""
    masks = [sample.mask for sample in inside if sample.mask is not None]
    clocks = [sample.clock_mhz for sample in inside if sample.clock_mhz is not None]
    degrees = [sample.celsius for sample in inside if sample.celsius is not None]
    fractions = {
        name: sum(1 for mask in masks if mask & bit) / len(masks)
        for name, bit in REASONS.items()
        if any(mask & bit for mask in masks)
    }
    reasons: list[Reason] = []
    slowed = [f"{name} {fractions[name]:.0%} of the windows" for name in INVALIDATING if name in fractions]
    capped = "sw_power_cap" in fractions
    if slowed:
        reasons.append(Reason(code="throttled_hardware", detail=", ".join(slowed)))
    if capped:
        reasons.append(Reason(code="throttled_power_cap", detail=f"{fractions['sw_power_cap']:.0%} of the windows"))
    mean_mhz = statistics.fmean(clocks) if clocks else None
    if mean_mhz is not None and default_mhz and mean_mhz < limits.LOW_GPU_CLOCK_FRAC * default_mhz and not capped:
        reasons.append(Reason(code="clock_low", detail=f"mean {mean_mhz:.0f} MHz of {default_mhz} MHz"))
    stored: dict[str, object] = {
        "throttle_reasons_frac": fractions,
        "mean_sm_clock_mhz": mean_mhz,
        "default_sm_clock_mhz": default_mhz,
        "mean_temperature_c": statistics.fmean(degrees) if degrees else None,
        "highest_temperature_c": max(degrees, default=None),
        "samples": len(inside),
    }
    return stored, reasons

"""NVIDIA GPUs through NVML: the energy counter, checked against the integral of power (method rules 5 and 6).

NVML is read through `pynvml` itself, because energy libraries built on it hide which field and scope they read.

References
----------
NVML API reference: nvmlDeviceGetTotalEnergyConsumption, NVML_FI_DEV_POWER_AVERAGE (185), NVML_FI_DEV_POWER_INSTANT
(186). Yang, Adamek, Armour, "Part-time power measurements", arXiv 2312.02741.
"""

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from bench import limits
from bench.machine.identity import machine_key
from bench.meters.counters import Unwrapper
from bench.meters.integrate import power_energy
from bench.meters.kinds.nvml.faults import (
    NO_ANSWER,
    fault,
    no_movement,
    no_power,
    shares_its_board,
    text_of,
)
from bench.meters.plausible import factor_words
from bench.meters.protocol import (
    EnergyReading,
    MeterInfo,
    MeterKind,
    Reading,
    Tier,
)
from bench.meters.stream import PolledMeter
from bench.network.errors import ReadFailedError

FIELD_AVERAGE, FIELD_INSTANT = 185, 186
SCOPES = {"gpu": 0, "module": 1, "memory": 2}
PROBE_S, DEFAULT_PERIOD_S = 1.2, 0.1  # [s]
COUNTER_MODULI_J = (2.0**32 * 1e-3, 2.0**64 * 1e-3)
_AVERAGED_ARCHITECTURES = 7  # NVML_DEVICE_ARCH_AMPERE: from here on PowerUsage is an average of one second
_UNAVERAGED_CHIPS = ("A100", "A30", "A800")  # GA100


class Nvml(PolledMeter):
    """One GPU: its energy counter if it has one, else its power; the field and the scope are stored."""

    def __init__(
        self,
        target: str = "0",
        *,
        scope: str = "gpu",
        period_s: float | None = None,
        nvml: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        name = f"nvml:{target}" + ("" if scope == "gpu" else f":{scope}")
        super().__init__(
            MeterInfo(
                name=name,
                kind=MeterKind.COUNTER,
                boundary="board",
                tier=Tier.C,
                accuracy_frac=None,
                accuracy_source="none stated by the maker",
                period_s=period_s or DEFAULT_PERIOD_S,
                poll_s=period_s or DEFAULT_PERIOD_S,
                domains=(name,),
                scope=scope,
            ),
            clock,
        )
        self._target, self._scope, self._period_s = target, scope, period_s
        self._nvml = nvml
        self._handle: Any = None
        self._field: int | None = None
        self._power: list[Reading] = []
        self._unwrapper = Unwrapper((), 0.0)

    def connect(self) -> MeterInfo:
        """Find the GPU, the field and scope of its power, and the update period of its counter."""
        uuid = self.survey()
        nvml = self._nvml
        limit_w = 5000.0
        with contextlib.suppress(nvml.NVMLError):
            limit_w = 3.0 * nvml.nvmlDeviceGetEnforcedPowerLimit(self._handle) * 1e-3
        self._unwrapper = Unwrapper(COUNTER_MODULI_J, limit_w)
        field, averaging_s = self._choose_power()
        kind = MeterKind.COUNTER if self._scope == "gpu" and self._has_counter() else MeterKind.POWER
        shared = "; MIG divides it, and this is the power of all slices" if shares_its_board(nvml, self._handle) else ""
        period_s = self._period_s or (self._probe_period() if kind is MeterKind.COUNTER else DEFAULT_PERIOD_S)
        return replace(
            self._info,
            kind=kind,
            period_s=period_s,
            averaging_s=averaging_s,
            poll_s=min(max(period_s, 0.05), 0.2),
            domains=(f"nvml:{uuid or f'{self._target}@{machine_key()}'}",),
            scope=f"scope {self._scope}; {'energy counter, checked by ' if kind is MeterKind.COUNTER else ''}{field}"
            + shared,
            # The module of a Grace Hopper holds the CPU too.
            covers=(f"gpu:{uuid}" if uuid else "gpu", *(("cpu",) if self._scope == "module" else ())),
        )

    def survey(self) -> str | None:
        """Find the GPU, check that it gives power or energy, and return its UUID if the driver gives it as text.

        Raises
        ------
        MeterError
            There is no driver, no such GPU, or it gives neither power nor energy.
        """
        name = self._info.name
        try:
            nvml = self._nvml = self._nvml or load()
            nvml.nvmlInit()
            self._handle = handle_of(nvml, self._target)
        except Exception as error:  # noqa: BLE001 (NVMLError is a class of the optional package)
            raise fault(name, error) from None
        uuid = text_of(nvml.nvmlDeviceGetUUID, self._handle, (nvml.NVMLError, *NO_ANSWER))
        counter = self._scope == "gpu" and self._has_counter()
        if not counter and not self._choose_power()[0]:
            raise no_power(name, nvml, self._handle, self._target)
        if counter and self._draws_nothing():
            raise no_movement(name)
        return uuid

    def disconnect(self) -> None:
        """Shut down NVML."""
        with contextlib.suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()

    def read_once(self) -> tuple[float, tuple[object, ...] | None, tuple[str, ...]]:
        """Return the joules since the first reading, or the power [W]; with a counter the power is read too."""
        if self._info.kind is MeterKind.POWER:
            watts, codes = self._read_power()
            return watts, None, codes
        now = self._clock()
        try:
            millijoules = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        except self._nvml.NVMLError as error:
            raise ReadFailedError(f"{self._info.name}: {error}") from None
        joules, codes = self._unwrapper.add(now, millijoules * 1e-3)
        with contextlib.suppress(ReadFailedError):
            watts, power_codes = self._read_power()
            self._power.append(Reading(now, time.time(), watts, (now,), power_codes))
            codes = (*codes, *power_codes)
        return joules, None, codes

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the energy from t0 to t1 [s, monotonic], without joules if counter and integral of power disagree."""
        energy = super().energy(t0, t1)
        if self._info.kind is MeterKind.POWER or energy.joules is None:
            return energy
        info = replace(self._info, kind=MeterKind.POWER, period_s=self._info.poll_s)
        check = power_energy(info, tuple(self._power), t0, t1)
        if check.joules is None or check.samples < limits.MIN_SAMPLES:
            return energy
        gap_frac = energy.joules / check.joules - 1.0
        detail = f"counter {energy.joules:.1f} J, integral of power {check.joules:.1f} J ({gap_frac:+.1%})"
        detail += factor_words(energy.joules, check.joules)
        energy = replace(energy, detail=detail)
        return energy.judged(("meter_disagreement",)) if abs(gap_frac) > limits.METER_DISAGREEMENT_FRAC else energy

    def _choose_power(self) -> tuple[str, float]:
        """Return the name of the power source and its averaging time [s]; the name is empty if there is none."""
        for field, name, averaging_s in (
            (FIELD_INSTANT, "instant power (field 186)", 0.0),
            (FIELD_AVERAGE, "average power (field 185)", 1.0),
        ):
            self._field = field
            with contextlib.suppress(ReadFailedError):
                self._read_power()
                return name, averaging_s
        self._field = None
        if self._scope != "gpu":
            return "", 0.0
        try:
            self._read_power()
        except ReadFailedError:
            return "", 0.0
        return "PowerUsage", 1.0 if self._is_averaged() else DEFAULT_PERIOD_S

    def _draws_nothing(self) -> bool:
        """Return whether the GPU claims 0 J so far and 0 W now."""
        try:
            return not self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) and not self._read_power()[0]
        except (self._nvml.NVMLError, ReadFailedError):
            return False

    def _is_averaged(self) -> bool:
        try:
            architecture = self._nvml.nvmlDeviceGetArchitecture(self._handle)
        except (self._nvml.NVMLError, *NO_ANSWER):
            return True
        name = text_of(self._nvml.nvmlDeviceGetName, self._handle, (self._nvml.NVMLError, *NO_ANSWER)) or ""
        return bool(architecture >= _AVERAGED_ARCHITECTURES) and not any(chip in name for chip in _UNAVERAGED_CHIPS)

    def _has_counter(self) -> bool:
        try:
            self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        except (self._nvml.NVMLError, *NO_ANSWER):
            return False
        return True

    def _probe_period(self) -> float:
        """Return the counter's update period [s], found by reading it as fast as it answers."""
        end = self._clock() + PROBE_S
        last, changes = None, []
        while (now := self._clock()) < end:
            try:
                value = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
            except self._nvml.NVMLError:
                break
            if last is not None and value != last:
                changes.append(now)
            last = value
            time.sleep(0.0005)
        steps = [b - a for a, b in pairwise(changes)]
        return statistics.median(steps) if len(steps) >= 3 else DEFAULT_PERIOD_S

    def _read_power(self) -> tuple[float, tuple[str, ...]]:
        """Return the power [W], with the code `scope_changed` if the answer covers another scope than requested."""
        nvml, scope_id = self._nvml, SCOPES[self._scope]
        try:
            if self._field is None:
                return nvml.nvmlDeviceGetPowerUsage(self._handle) * 1e-3, ()
            answer = nvml.nvmlDeviceGetFieldValues(self._handle, [(self._field, scope_id)])[0]
        except (nvml.NVMLError, *NO_ANSWER) as error:
            raise ReadFailedError(f"{self._info.name}: {error}") from None
        if answer.nvmlReturn != 0:
            raise ReadFailedError(f"{self._info.name}: field {self._field}: NVML error {answer.nvmlReturn}")
        codes = () if answer.scopeId == scope_id else ("scope_changed",)
        return answer.value.uiVal * 1e-3, codes


def load() -> Any:
    """Return NVML's binding, an optional package."""
    import pynvml

    return pynvml


def handle_of(nvml: Any, target: str) -> Any:
    """Return NVML's handle of a GPU by its index or UUID."""
    if target.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(target))
    return nvml.nvmlDeviceGetHandleByUUID(target)

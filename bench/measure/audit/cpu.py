"""The audit of a CPU during the windows: clocks, throttling, other programs and settings (method rules 11, 16, 17)."""

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import limits
from bench.machine import cores as machine_cores
from bench.machine.cgroups import Quota, Throttling, quota, throttling
from bench.measure.steadiness import duration_agrees
from bench.results.record import Reason

_CPU_FOLDER = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class _State:
    monotonic_s: float
    boot_s: float
    wall_s: float
    busy_s: float
    own_s: float
    throttled: int | None  # throttle events of all cores since boot; None if not reported
    settings: dict[str, str | None]
    stolen_s: float = 0.0
    quota: Quota | None = None
    quota_throttling: dict[str, Throttling] = field(default_factory=dict)  # by folder of the group
    processes: dict[int, tuple[str, float]] = field(default_factory=dict)  # by pid: name and CPU time [s]


class CpuAudit:
    """CPU time of other programs, thermal throttling, governor, and the clocks that measure time."""

    def __init__(self) -> None:
        self._before: _State | None = None
        self.cores = len(os.sched_getaffinity(0))

    def start(self) -> None:
        """Record the state before the first window."""
        self._before = _state()

    def window(self, start_s: float, end_s: float) -> None:
        """Do nothing: the kernel's counters cover all windows."""

    def finish(self) -> tuple[dict[str, object], list[Reason]]:
        """Return the data to store and the codes of what went wrong."""
        if self._before is None:
            return {}, []
        stored, reasons = judge(self._before, _state(), self.cores)
        known = {reason.code for reason in reasons}
        notes = [Reason(code=code, detail=detail) for code, detail in machine_cores.cores().notes()]
        if "cpu_throttled_by_quota" in known:  # its detail has the quota
            notes = [note for note in notes if note.code != "cpu_quota"]
        return stored, [*reasons, *notes]


def judge(before: _State, after: _State, cores: int) -> tuple[dict[str, object], list[Reason]]:
    """Return the data to store and the codes of what went wrong between two states."""
    span_s = max(after.monotonic_s - before.monotonic_s, 1e-9)
    foreign_s = max(0.0, (after.busy_s - before.busy_s) - (after.own_s - before.own_s))
    foreign_frac = foreign_s / (span_s * cores)
    step_s = (after.wall_s - before.wall_s) - (after.boot_s - before.boot_s)
    awake_and_asleep_s = after.boot_s - before.boot_s  # CLOCK_BOOTTIME runs on while the machine sleeps
    throttled = None
    if before.throttled is not None and after.throttled is not None:
        throttled = after.throttled - before.throttled
    reasons: list[Reason] = []
    if foreign_frac > limits.FOREIGN_LOAD_FRAC:
        programs = _busiest(before, after)
        detail = f"{foreign_frac:.0%} of {cores} cores" + (f": {programs}" if programs else "")
        reasons.append(Reason(code="foreign_load", detail=detail))
    if throttled:
        reasons.append(Reason(code="cpu_throttled", detail=f"{throttled} events"))
    if before.settings != after.settings:
        changed = [f"{k} {v} to {after.settings[k]}" for k, v in before.settings.items() if v != after.settings[k]]
        reasons.append(Reason(code="settings_changed", detail="; ".join(changed)))
    if abs(step_s) > limits.CLOCK_STEP_S:
        reasons.append(Reason(code="clock_step", detail=f"{step_s:+.1f} s"))
    by_quota = _most_throttled(before, after)
    if by_quota is not None:
        allowed = cores if after.quota is None else after.quota.cores
        if by_quota.throttled_s > limits.QUOTA_THROTTLED_FRAC * span_s * max(1.0, allowed):
            periods = f"in {by_quota.throttled_periods} of {by_quota.periods} periods" if by_quota.periods else ""
            detail = f"may use {allowed:g} of {cores} cores; throttled for {by_quota.throttled_s:.1f} s {periods}"
            reasons.append(Reason(code="cpu_throttled_by_quota", detail=detail.strip()))
    stolen_frac = (after.stolen_s - before.stolen_s) / (span_s * cores)
    if stolen_frac > limits.FOREIGN_LOAD_FRAC:
        reasons.append(Reason(code="cpu_stolen", detail=f"{stolen_frac:.0%} of {cores} cores"))
    asleep_s = awake_and_asleep_s - span_s
    if not duration_agrees(awake_and_asleep_s, before.monotonic_s, after.monotonic_s):
        reasons.append(Reason(code="duration_mismatch", detail=f"the machine slept for {asleep_s:.1f} s"))
    stored: dict[str, object] = {
        "foreign_cpu_frac": round(foreign_frac, 4),
        "stolen_cpu_frac": round(stolen_frac, 4),
        "quota_throttled_s": None if by_quota is None else round(by_quota.throttled_s, 6),
        "cpu_throttle_events": throttled,
        "wall_clock_step_s": round(step_s, 3),
        "slept_s": round(asleep_s, 3),
    }
    return stored, reasons


def _most_throttled(before: _State, after: _State) -> Throttling | None:
    """Return the longest throttling between two states and the periods of the group whose quota ran out most often."""
    spent = [
        after.quota_throttling[folder].since(earlier)
        for folder, earlier in before.quota_throttling.items()
        if folder in after.quota_throttling
    ]
    if not spent:
        return None
    most = max(spent, key=lambda each: each.throttled_periods)
    return replace(most, throttled_s=max(each.throttled_s for each in spent))


def busy_time_s() -> float:
    """Return the CPU time of all programs of this machine since its boot [s]; what other machines took is not in it."""
    import psutil

    times = psutil.cpu_times()
    # guest time is within user time on Linux, iowait is idle time
    busy_s = sum(times) - times.idle - getattr(times, "iowait", 0.0)
    return busy_s - sum(getattr(times, name, 0.0) for name in ("guest", "guest_nice", "steal"))


def _state() -> _State:
    import psutil

    stolen_s = getattr(psutil.cpu_times(), "steal", 0.0)  # taken by other virtual machines, not by programs of this one
    own = os.times()
    return _State(
        monotonic_s=time.monotonic(),
        boot_s=time.clock_gettime(time.CLOCK_BOOTTIME),
        wall_s=time.time(),
        busy_s=busy_time_s(),
        stolen_s=stolen_s,
        own_s=own.user + own.system + own.children_user + own.children_system,
        throttled=_throttle_count(),
        settings=_settings(),
        quota=quota(),
        quota_throttling=throttling(),
        processes=_processes(),
    )


def _processes() -> dict[int, tuple[str, float]]:
    import psutil

    processes = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        spent = process.info["cpu_times"]
        if process.pid != os.getpid() and spent is not None:
            processes[process.pid] = (str(process.info["name"]), spent.user + spent.system)
    return processes


def _busiest(before: _State, after: _State) -> str:
    spent = [
        (total - before.processes.get(pid, ("", 0.0))[1], f"{name} (pid {pid})")
        for pid, (name, total) in after.processes.items()
    ]
    return ", ".join(f"{name} {cpu_s:.1f} s" for cpu_s, name in sorted(spent, reverse=True)[:3] if cpu_s > 0.05)


def _throttle_count() -> int | None:
    counts = []
    for path in _CPU_FOLDER.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"):
        try:
            counts.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return sum(counts) if counts else None


def _settings() -> dict[str, str | None]:
    def read(path: Path) -> str | None:
        try:
            return path.read_text(encoding="ascii").strip()
        except OSError:
            return None

    limit = quota()
    return {
        "governor": read(_CPU_FOLDER / "cpu0/cpufreq/scaling_governor"),
        "no_turbo": read(_CPU_FOLDER / "intel_pstate/no_turbo"),
        "smt": read(_CPU_FOLDER / "smt/control"),
        "cpu_quota_cores": None if limit is None else f"{limit.cores:g}",
    }

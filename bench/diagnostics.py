"""All reason codes and warnings in one table, each with a sentence, its effect on the figures, and a cure."""

# ruff: noqa: E501 (a table: one row a line)

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bench import limits


class Effect(StrEnum):
    """The effect of a code on the figures of its record."""

    NOTE = "note"
    WARN = "warn"
    NO_ENERGY = "no_energy"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One reason code."""

    code: str
    sentence: str
    cure: str
    effect: Effect
    rule: int | None = None  # its rule in docs/method.md
    publish: Effect | None = None  # its effect under the plan `publish`, if another


def _percent(fraction: float) -> str:
    return f"{fraction * 100:g} %"


# fmt: off
_ROWS = (
    Diagnostic("energy_missing", "a meter was requested but did not give the energy of every window", "read the other codes of this meter, then run again", Effect.WARN, 1, Effect.INVALID),
    # work and window
    Diagnostic("wrong_answer", "the variant gave a wrong answer on this device", "do not use this variant on this device; report it with `perwatt doctor --json`", Effect.INVALID, 18),
    Diagnostic("run_failed", "the workload raised an error during the run", "read the error in the detail; run again with --plan smoke", Effect.INVALID, 19),
    Diagnostic("too_hot", "the device became hotter than the limit of the sweep, which ended there", "improve its cooling, or set another limit with --hottest-c", Effect.INVALID),
    Diagnostic("window_missing", "a planned window was not measured", "run again; missing windows are not interpolated", Effect.INVALID, 19),
    Diagnostic("not_finite", "a figure is not a finite number", "check the meter and the workload, then run again", Effect.INVALID, 19),
    Diagnostic("no_work", "no work was done in a window", "run again; reduce the work per call; of a miner, read its log", Effect.INVALID, 1),
    Diagnostic("work_energy_mismatch", "work and energy were not measured over the same window", "read the meter over the same window as the work", Effect.NO_ENERGY, 1),
    Diagnostic("window_short", "the window is shorter than the plan requires for this meter", "use longer windows: --plan quick or --plan publish", Effect.NO_ENERGY, 2),
    Diagnostic("duration_mismatch", "a reported duration differs from the end minus the start", "check that the machine or the process was not suspended, and that the meter reports the window it was asked for", Effect.INVALID, 4),
    Diagnostic("plan_smoke", "measured with the plan smoke, which only checks that the run works", "use --plan quick or --plan publish for a figure to compare", Effect.WARN, 2),
    Diagnostic("lead_short", "the load did not run long enough before or after the window", "keep the load running before the first and after the last window, as `perwatt run` does", Effect.NO_ENERGY, 3),
    # sampling
    Diagnostic("not_metered", "no meter covers this device", "add a meter: --meter shelly:HOST or --meter trace:FILE; or state an assumed power with --watts", Effect.NOTE),
    Diagnostic("declared_power", "the power was declared, not measured", "add a meter: --meter shelly:HOST or --meter trace:FILE", Effect.NOTE, 20),
    Diagnostic("power_attributed", "the source divides an estimate among programs; it measures nothing", "add a meter that covers the node: a BMC, a PDU or a plug", Effect.NO_ENERGY, 20),
    Diagnostic("too_few_samples", f"fewer than {limits.MIN_SAMPLES} distinct samples in the window", "use longer windows, shorten --meter-period-s if the meter updates faster, or raise the meter's resolution", Effect.NO_ENERGY, 4),
    Diagnostic("sample_gap", f"a gap between samples is longer than {limits.MAX_GAP_PERIODS:g} update periods", "check the network and the load of this machine; use a wired meter", Effect.NO_ENERGY, 4),
    Diagnostic("edge_missing", "there is no reading on one side of a window's edge", "keep the meter running before and after the window", Effect.NO_ENERGY, 4),
    Diagnostic("meter_too_slow", f"the meter updates less often than every {limits.SLOWEST_PERIOD_S:g} s, too slow to measure energy", "use a meter that updates at least every second", Effect.NO_ENERGY, 4),
    Diagnostic("samples_stale", "the meter froze: it repeated one sample for many update periods", "restart the meter; check that its own clock advances", Effect.NO_ENERGY, 4),
    Diagnostic("samples_repeated", "the meter always gave the same value: the load is constant or the meter is dead", "check that the device is behind this meter: idle and loaded power should differ", Effect.WARN, 4),
    Diagnostic("read_failed", "some readings failed and are missing", "check the meter's connection; missing readings are not filled in", Effect.WARN, 4),
    Diagnostic("meter_lost", "the meter stopped answering during the run", "check the meter's power and network, then run again", Effect.NO_ENERGY, 4),
    Diagnostic("device_asleep", "the device of this meter was asleep, so that its power is not known; it is not 0 W", "keep it awake: start its load first, or set its power/control to on", Effect.NO_ENERGY, 15),
    Diagnostic("device_not_covered", "a meter does not read the device that did the work: its power is stored, but no energy per unit of work", "name a meter that reads this device, or the whole machine: --meter shelly:HOST", Effect.WARN, 15),
    Diagnostic("bad_sample", "the meter gave a value that is not a finite number; the sample counts as missing", "check the meter's firmware, and its answer in a browser", Effect.WARN, 4),
    Diagnostic("no_power", "the meter read zero throughout the window", "switch the plug on; check that the device is behind this meter", Effect.NO_ENERGY, 22),
    Diagnostic("zero_unconfirmed", "the meter read 0 W, and nothing else in its answer confirms the zero", "check that the device is behind this meter and switched on; a meter that also states volts and amps can confirm it", Effect.WARN, 22),
    Diagnostic("trace_malformed", "some lines of the log could not be read and are missing", "check the format of the log; name its columns with column= and time_format=", Effect.WARN, 4),
    Diagnostic("trace_clock_back", "the log's clock went backwards", "export the log in UTC, without a change to or from summer time", Effect.NO_ENERGY, 4),
    Diagnostic("negative_power", "the meter gave negative power", "check the direction of the current clamp or of the plug", Effect.NO_ENERGY, 22),
    Diagnostic("counter_went_back", "the energy counter went back further than an overflow explains", "run again: the driver or the meter restarted during the window", Effect.NO_ENERGY, 7),
    Diagnostic("counter_jumped", "the energy counter rose by more than the device can draw", "run again; if it happens again, use another meter: the driver's counter is not reliable", Effect.NO_ENERGY, 22),
    Diagnostic("counter_wrapped", "the energy counter overflowed during the window and was corrected", "nothing to do: the counter's range is known", Effect.NOTE, 7),
    Diagnostic("wrap_ambiguous", "readings are so far apart that the energy counter may have overflowed more than once", "reduce the load of this machine so that the counter is read at least once a second", Effect.NO_ENERGY, 7),
    Diagnostic("counter_stalled", "the energy counter did not move during the window", "reload the driver; the device may not support energy counting", Effect.NO_ENERGY, 6),
    Diagnostic("meter_disagreement", f"two measurements of the same energy differ by more than {_percent(limits.METER_DISAGREEMENT_FRAC)}", "check which meter is right; if it is the device's own counter against its power, use a wall meter; add the supplies of one node with sum=NAME", Effect.NO_ENERGY, 5),
    Diagnostic("source_twice", "two meters read the same log, so that one source counts twice", "name each log once, or two columns of it", Effect.NO_ENERGY, 5),
    Diagnostic("inside_exceeds_outside", "a meter of an inner boundary read more than the meter of an outer one", "check which device is behind which meter", Effect.WARN, 5),
    Diagnostic("scope_changed", "the meter changed what it covers while it was read", "do not change the power scope or the driver during a run", Effect.NO_ENERGY, 6),
    Diagnostic("clock_step", "the wall clock was stepped during the run", "do not set the clock during a run; durations are not affected, they use the monotonic clock", Effect.WARN, 4),
    Diagnostic("clock_step_join", "the wall clock was stepped, so the log cannot be matched to this run", "run again without setting the clock", Effect.NO_ENERGY, 4),
    Diagnostic("trace_not_covering", "the log does not cover the window", "keep logging until after the run; check --clock-offset-s", Effect.NO_ENERGY, 4),
    Diagnostic("log_pending", "the log of this meter is joined after the run", "join it: `perwatt run --attach RESULT --meter trace:FILE`; in a lab, `perwatt lab collect` does", Effect.NO_ENERGY, 4),
    Diagnostic("clock_uncertain", f"the clocks of the two machines are not known well enough to match the log to this run: both edges of a window together to more than {_percent(limits.EDGE_FRAC)} of it", "use a faster connection to the hosts, or longer windows: --plan publish", Effect.NO_ENERGY, 4),
    Diagnostic("clock_drifted", "the clocks of the two machines moved against each other by more than clocks do", "check that neither machine slept or restarted, and that one program sets its clock", Effect.NO_ENERGY, 4),
    Diagnostic("meter_shared", "another machine behind this meter was not idle during the run, or it is not known that it was", "run one machine behind a meter at a time, and close other programs on the others", Effect.NO_ENERGY, 16),
    Diagnostic("idle_included", "the meter covers other machines too: their idle power is in its figures", "nothing to do: the boundary is rack; switch the others off, or use a meter for each machine", Effect.NOTE, 15),
    # shares and firmware of ASIC miners
    Diagnostic("shares_not_uniform", "hash over target of the shares is not uniform: the chips or the firmware report only nonces of a harder target, so shares are missing", "raise --difficulty to a power of two at or above the chip's ticket mask, then run again", Effect.INVALID, 8),
    Diagnostic("shares_few", f"fewer than {limits.VERIFIED_SHARES} valid shares: the rate is not verified by shares", "measure longer (--measure-s, or a smaller --error), or lower --difficulty as far as the chip's ticket mask allows", Effect.WARN, 8),
    Diagnostic("shares_lost", f"the work server no longer has all shares of the windows: it keeps the newest {limits.SHARES_KEPT:,}", "raise --difficulty or measure for a shorter time, and keep other clients away from the work server", Effect.INVALID, 8),
    Diagnostic("shares_refused", f"more than {_percent(limits.REFUSED_SHARES_FRAC)} of the shares are not valid and do not count", "read the classes in the detail: low difficulty means that the firmware rounds, stale that the network is slow", Effect.WARN, 8),
    Diagnostic("mask_ignored", "the miner rolls version bits that it was not allowed; such shares do not count", "update the firmware; real pools refuse these shares too", Effect.WARN, 8),
    Diagnostic("difficulty_mixed", "shares of more than one difficulty are in the windows", "start the run again with the miner connected and --difficulty fixed", Effect.WARN, 8),
    Diagnostic("not_settled", "the miner had not settled when the windows began", "let it run for an hour at one setting, then run again", Effect.WARN, 8, Effect.INVALID),
    Diagnostic("aggregated", "more than one machine may be behind the connection, so the rate is not that of one", "connect the miner directly, without a proxy, and no other miner from its address", Effect.INVALID, 8),
    Diagnostic("rate_above_expected", f"the shares give more than {limits.ABOVE_EXPECTED:g} times the expected rate: several machines may be behind one connection, as with a proxy, or the expected rate is wrong", "connect the miner directly, without a proxy; if it is alone, state its rated rate with --nominal", Effect.WARN, 8, Effect.INVALID),
    Diagnostic("connected_twice", "the miner was connected more than once at the same time", "enter the pool once only, and switch off other programs that use its address", Effect.WARN, 8),
    Diagnostic("other_miners", "other machines mined at the work server during the windows", "point only the measured miner at the work server, so that the meter and the shares belong to one machine", Effect.WARN, 8),
    Diagnostic("peer_mismatch", "the shares come from another address than the firmware that was read", "check --miner; a proxy or router in between hides which machine hashes", Effect.WARN, 8),
    Diagnostic("agent_mismatch", "the program that mines is not the one that the firmware names", "check that --miner and the pool entry belong to one machine", Effect.WARN, 8),
    Diagnostic("disconnected", "the miner was not connected for a part of the windows, which lowers the rate", "read `rate_while_connected` for the rate without the gaps; check network and firmware", Effect.WARN, 8),
    Diagnostic("firmware_restarted", "the mining program of the miner restarted during the windows", "let it settle, then run again", Effect.WARN, 8, Effect.INVALID),
    Diagnostic("firmware_fee", "the firmware keeps a share of the work for its maker, so fewer shares come than it hashes", "nothing to do: the verified rate is what the owner gets; it is not corrected", Effect.NOTE, 8),
    Diagnostic("telemetry_gaps", "readings of the firmware failed or are missing", "check the network, and that no other program reads the miner; the verified rate is not affected", Effect.WARN, 8),
    Diagnostic("temperature_missing", "no temperature is known, and J/TH depends on it", "state the temperature at the inlet with --ambient-c, or name the miner with --miner", Effect.WARN, 8),
    Diagnostic("meter_small", f"the machine may draw more than a plug of {limits.PLUG_W:g} W carries", "use a meter for its current and phases: docs/asic.md", Effect.WARN, 8),
    Diagnostic("always_on", "the miner was not paused, so its idle power was not measured", "nothing to do; to learn it, pause the miner and read the meter with `perwatt meter check`", Effect.NOTE, 9),
    Diagnostic("simulated_miner", "the miner is a simulation on a CPU", "point an ASIC at the work server for a figure of an ASIC", Effect.WARN, 20),
    # load, clocks, device
    Diagnostic("no_idle", "idle power was not measured", "use --plan quick or --plan publish, which measure it", Effect.NOTE, 9, Effect.WARN),
    Diagnostic("idle_drift", f"idle power changed by more than {_percent(limits.IDLE_DRIFT_FRAC)} from before to after the run", "let the device cool down first; close other programs", Effect.WARN, 9),
    Diagnostic("unsteady", "rate or power drifted during the windows", "let the device warm up longer; fix its clocks and cooling", Effect.WARN, 10, Effect.INVALID),
    Diagnostic("unstable", f"the windows vary by more than {_percent(limits.SPREAD_UNSTABLE_FRAC)}", "close other programs; use more windows (--plan publish)", Effect.WARN, 12),
    Diagnostic("bound_unknown", "the highest rate that this device could reach could not be determined", "read the detail; the rate itself is not affected", Effect.NOTE),
    Diagnostic("spread_warn", f"the windows vary by more than {_percent(limits.SPREAD_NOTED_FRAC)}", "close other programs if you need a narrower interval", Effect.NOTE, 12),
    Diagnostic("throttled_hardware", "the device was throttled by hardware slowdown, temperature or power brake", "improve the cooling or the power supply, then run again", Effect.INVALID, 11),
    Diagnostic("throttled_power_cap", "the device ran at its power cap, which is normal at full load", "nothing to do: the cap is stored with the device's settings", Effect.NOTE, 11),
    Diagnostic("clock_low", f"the mean clock was below {_percent(limits.LOW_GPU_CLOCK_FRAC)} of the default without a power cap", "check the clock settings and the cooling", Effect.INVALID, 11),
    Diagnostic("cpu_throttled", "the CPU throttled because of heat during the run", "improve the cooling, then run again", Effect.WARN, 11),
    Diagnostic("cpu_throttled_by_quota", "a CPU quota stopped this process during the windows: the rate is the quota's, not the CPU's", "remove the quota (docker --cpus, a Kubernetes limit, systemd CPUQuota=), or use at most as many --threads as it has whole cores", Effect.WARN, 11, Effect.INVALID),
    Diagnostic("cpu_quota", "a CPU quota allows this process less than the cores that it sees", "remove the quota (docker --cpus, a Kubernetes limit, systemd CPUQuota=) to measure the whole CPU", Effect.WARN, 17),
    Diagnostic("cores_limited", "this process may use only some of the cores", "nothing to do if that is intended; else start it without taskset, docker --cpuset-cpus or AllowedCPUs=", Effect.NOTE, 17),
    Diagnostic("cores_offline", "some cores of this machine are offline", "nothing to do if that is intended; else switch them on: /sys/devices/system/cpu/cpuN/online, or SMT", Effect.NOTE, 17),
    Diagnostic("hybrid_cores", "the CPU has cores of different kinds, and the figures are those of the mix", "to measure one kind, start the run with taskset -c on its cores; `perwatt doctor --json` lists them", Effect.NOTE, 17),
    Diagnostic("cpu_stolen", "other virtual machines took CPU time of this one during the windows", "run on a machine of its own, or expect a lower rate and a wider interval", Effect.WARN, 16),
    Diagnostic("foreign_load", "other programs used the device during the windows", "close them; on a shared machine expect a wider interval", Effect.WARN, 16),
    Diagnostic("domain_busy", "another run is using this meter", "wait for the other run to end", Effect.NO_ENERGY, 16),
    Diagnostic("another_run", "another perwatt run used this machine at the same time", "run one at a time", Effect.WARN, 16),
    Diagnostic("not_locked", "a lock could not be taken, so another run may have used the meter or the machine at the same time", "remove the entry that is no lock; or set PERWATT_LOCKS to a folder of yours or of root, sticky if others write to it", Effect.WARN, 16),
    Diagnostic("samples_not_stored", "the raw samples could not be written, so the figures cannot be computed again from them", "read the error in the detail; run again with --plan smoke", Effect.WARN),
    Diagnostic("settings_changed", "the device's settings changed during the run", "do not change power limit, clocks or governor during a run", Effect.INVALID, 17),
    Diagnostic("benchmark_disabled", "pytest-benchmark was disabled", "run without --benchmark-disable", Effect.NO_ENERGY),
    Diagnostic("not_pedantic", "pytest-benchmark chose the number of rounds, so the measured rounds cannot be identified", "use benchmark.pedantic with fixed rounds, or the fixture energy_benchmark", Effect.NO_ENERGY),
    Diagnostic("precision_with_power", "the option precision= chooses the number of rounds while they run", "do not use precision= where you measure energy", Effect.NO_ENERGY),
    Diagnostic("timer_mismatch", "the rounds were not timed by perwatt's timer", "use --benchmark-timer=bench.pytest_plugin.timer.stamp and no timer= in the test", Effect.NO_ENERGY),
    Diagnostic("test_failed", "the test failed during or after its benchmark", "fix the test; its figures are not kept", Effect.INVALID, 19),
    Diagnostic("timer_coarse", "some rounds took zero seconds by their timer, so single rounds mean nothing", "use more iterations per round: benchmark.pedantic(iterations=) or --benchmark-calibration-precision", Effect.WARN, 12),
    Diagnostic("no_time", "all rounds took zero seconds by their timer, so there is no rate", "use more iterations per round: benchmark.pedantic(iterations=) or --benchmark-calibration-precision", Effect.INVALID, 19),
    Diagnostic("imported", "imported from another tool's file: perwatt did not measure its windows", "measure with `perwatt run` for a verdict", Effect.NOTE, 20),
    # endpoints
    Diagnostic("server_failed", "the server ended no request well, or went away during the run", "read the detail and the server's log; run again once it answers", Effect.INVALID, 21),
    Diagnostic("server_overloaded", "the server ended too few requests, or sent no token for a whole window", "lower the load, shorten prompts and answers, or use --plan publish for longer windows", Effect.INVALID, 21),
    Diagnostic("server_silent", "the server kept its connections open and sent nothing more", "lower the load; if the server answers no single request either, it has hung: read its log and restart it", Effect.INVALID, 21),
    Diagnostic("tokens_not_counted", "the server states no number of output tokens, so none can be counted", "use a server, or a version of it, that states usage in its streams (stream_options)", Effect.INVALID, 21),
    Diagnostic("requests_failed", f"more than {_percent(limits.FAILED_REQUESTS_FRAC)} of the requests failed", "read the server's log; lower the load", Effect.WARN, 21),
    Diagnostic("length_ignored", "the answers of the server have another length than requested", "use a server that honours ignore_eos, or measure with --free-length", Effect.WARN, 21),
    Diagnostic("prompt_length", "the server counts another length of the prompts than requested", "use the length in the record, or a server that takes token ids as prompts", Effect.WARN, 21),
    Diagnostic("few_requests", f"fewer than {limits.REQUESTS_PER_SLOT} requests for each slot ended in the windows, so a part of the load was ramp", "use longer windows, or shorter answers", Effect.WARN, 21),
    Diagnostic("prefix_cached", f"the server took at least {_percent(limits.PREFIX_CACHED_FRAC)} of the prompt tokens from its prefix cache", "switch the cache off; with --dataset, use prompts that do not repeat", Effect.WARN, 21),
    Diagnostic("several_tokens_per_chunk", "the server sends several tokens in one chunk, so gaps between tokens cannot be observed", "none is needed: the time per token is right", Effect.NOTE, 21),
    Diagnostic("no_server_counters", "the server shows no counters, so its own count of tokens was not compared", "switch its page of metrics on", Effect.NOTE, 21),
    Diagnostic("server_restarted", "the counters of the server began anew during the windows", "read the server's log; run again", Effect.INVALID, 21),
    Diagnostic("endpoint_shared", "others used the server during the windows", "measure while nobody else uses it", Effect.NO_ENERGY, 21),
    Diagnostic("token_mismatch", "two counts of the server's tokens disagree", "compare the tokenizer of the server with the one behind its counts", Effect.WARN, 21),
    Diagnostic("preempted", "the server interrupted requests because its memory was full", "lower the load, or give the server more memory for its cache", Effect.WARN, 21),
    Diagnostic("server_queues", "requests waited in the server's queue", "raise the server's limit of requests at a time, or lower the load", Effect.WARN, 21),
    Diagnostic("hidden_cap", "the server worked on fewer requests than were sent at a time", "look for a limit of connections in the server or a proxy before it", Effect.WARN, 21),
    Diagnostic("client_local", "the client ran on the machine of the server, whose wall power includes it", "run the client on another machine", Effect.WARN, 21),
    Diagnostic("client_bound", "the client itself limited the figures", "use more --processes, or a faster machine for the client", Effect.NO_ENERGY, 21),
    Diagnostic("schedule_late", "requests of the schedule were sent late", "use more --processes, or a lower --rate", Effect.WARN, 21),
    Diagnostic("over_saturated", "requests came faster than the server ended them, so latencies grew all the time", "lower --rate", Effect.INVALID, 21),
    Diagnostic("runner_overhead", f"the runner itself used more than {_percent(limits.RUNNER_OVERHEAD_FRAC)} of a window", "use longer windows", Effect.WARN, 1),
    # ramps
    Diagnostic("ramp_step_small", "the step between off and on is too small for the noise of this meter", "put the meter nearer to the device, so that it reads nothing else", Effect.INVALID),
    Diagnostic("ramp_never_off", "the device did not come to rest after the command to off", "read its answer in the detail; raise --wait-s for a device whose fans run on", Effect.INVALID),
    Diagnostic("ramp_never_on", "the device did not draw power after the command to on", "look at the device", Effect.INVALID),
    Diagnostic("ramp_never_full", "the device did not come back to its former power or rate", "raise --wait-s; look at the device: a board or a fan may have failed", Effect.INVALID),
    Diagnostic("ramp_unsteady", "the power of the device at work did not stand before the first command", "wait until it has tuned itself; raise --wait-s", Effect.INVALID),
    Diagnostic("ramp_too_few_samples", "the meter gave too few samples for a plateau", "use a meter that updates more often; raise --plateau-s", Effect.INVALID),
    Diagnostic("ramp_refused", "the device refused the command", "read its answer in the detail", Effect.INVALID),
    Diagnostic("ramp_rate_unknown", "the device shows no rate, so the time to full rate is not known", "none is needed for the times of the power", Effect.WARN),
    Diagnostic("ramp_rate_noisy", "the rate that the device shows scatters too much to tell when it is full", "none is needed for the times of the power", Effect.WARN),
    Diagnostic("ramp_simulated", "the device is simulated, or answers at a loopback address as a simulation does", "measure a real device; behind a tunnel, none is needed", Effect.WARN),
)
# fmt: on

TABLE: dict[str, Diagnostic] = {row.code: row for row in _ROWS}
"""All codes by name."""


def effect(code: str, plan: str = "quick") -> Effect:
    """Return the effect of a code under a plan."""
    row = TABLE[code]
    return row.publish if plan == "publish" and row.publish is not None else row.effect


def invalidates(code: str, plan: str = "quick") -> bool:
    """Return whether a code makes the whole run invalid under a plan."""
    return effect(code, plan) is Effect.INVALID


def forbids_energy(code: str, plan: str = "quick") -> bool:
    """Return whether a code removes the joules, with or without the rate."""
    return effect(code, plan) in (Effect.INVALID, Effect.NO_ENERGY)


def sentence(code: str) -> str:
    """Return a code with its sentence and its cure as one line for people."""
    row = TABLE.get(code)
    return f"{code}: {row.sentence}; {row.cure}" if row else code


def unique(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the codes without repeats, in the order of first appearance."""
    return tuple(dict.fromkeys(codes))

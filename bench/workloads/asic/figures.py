"""The figures next to the headline of a miner: without gaps, as the firmware displays them, and their ratios."""

import re

from bench import limits
from bench.results.evidence.miner import Displayed
from bench.results.record import Metric
from bench.workloads.asic.collected import Collected

_REAL_POWERS = ("ac_in_psu", "dc_out", "dc_out_plus_const", "estimate", "unknown")  # no target and no nameplate


def metrics(collected: Collected, rate_h_s: float, interval: tuple[float, float]) -> dict[str, Metric]:
    """Return the figures next to the headline: without the gaps, as displayed, and their ratios.

    Parameters
    ----------
    collected
        What was collected.
    rate_h_s
        The verified rate [hash/s].
    interval
        95 % interval of the work over the work counted [-].
    """
    found: dict[str, Metric] = {}
    connected_s = collected.duration_s - collected.disconnected_s
    if collected.disconnected_s > limits.DISCONNECTED_S and connected_s > 0.0:
        value = rate_h_s * collected.duration_s / connected_s
        found["rate_while_connected"] = Metric(
            value=value, unit="hash/s", basis="measured", n=len(collected.spans),
            interval_95=(value * interval[0], value * interval[1]), note="without the time that it was disconnected",
        )  # fmt: skip
    shown = [one for one in collected.firmware.displayed if one.quantity == "rate"]
    for one in shown:
        found[_name("displayed_rate", one)] = _displayed(one, one.value, "hash/s", one.raw_key)
        ratio = rate_h_s / one.value
        found[_name("verified_over_displayed", one)] = Metric(
            value=ratio, unit="1", basis="measured", n=len(collected.spans),
            interval_95=(ratio * interval[0], ratio * interval[1]), tier="D", note=f"verified rate over {one.raw_key}",
        )  # fmt: skip
    for power in (one for one in collected.firmware.displayed if one.quantity == "power"):
        found[_name("displayed_power", power)] = _displayed(power, power.value, "W", f"{power.raw_key}: {power.kind}")
        if power.kind in _REAL_POWERS and shown:
            note = f"{power.raw_key} ({power.kind}) over {shown[0].raw_key}"
            found[_name("displayed_energy", power)] = _displayed(power, power.value / shown[0].value, "J/hash", note)
    return found


def _displayed(of: Displayed, value: float, unit: str, note: str) -> Metric:
    return Metric(value=value, unit=unit, basis="measured", n=of.readings, tier="D", note=f"displayed: {note}")


def _name(beginning: str, displayed: Displayed) -> str:
    return f"{beginning}_{re.sub(r'[^a-z0-9]+', '_', displayed.raw_key.lower()).strip('_')}"

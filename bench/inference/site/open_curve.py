"""Modelled rates for sites of requests that arrive at random times: points with the quantiles of their latencies."""

from pathlib import Path

from bench.inference.rates import make_setup
from bench.inference.simulation.open_loop import OpenLoop, Traffic, open_loop, rates_of
from bench.inference.simulation.spread import Spread
from bench.inference.site.name import FORM, RateName
from bench.inference.site.rate import device_rate
from bench.inference.site.scale import scale_of
from hardware_profiles.errors import InputError
from sites.operating_points import CAPS_MARK, OperatingCurve, OperatingPoint


def open_curve(name: str, known: RateName, store: Path) -> OperatingCurve:
    """Return the operating points of requests that arrive at random times.

    Parameters
    ----------
    name
        As the site's file states it.
    known
        Its parts, with a rate.
    store
        The results folder, in which measurements on the device are looked up.

    Raises
    ------
    InputError
        The server cannot keep up with the rate, the model cannot be served on its device, the power limit is outside
        its range, or the name asks for a curve of power limits too.
    """
    if known.power == "caps":
        raise InputError.at("device", expected=f"{FORM} with a batch, or without, for {CAPS_MARK}", got=name)
    setup = make_setup(known.model, known.dtype, known.device, known.gpus, known.engine)
    scale, traffic = scale_of(setup, store, known.server), Traffic(known.input_len, known.output_len)
    rates_per_s = rates_of(known.rate or "", setup, traffic, scale, known.cap_w)
    points = [open_loop(setup, traffic, rate_per_s, scale, known.cap_w) for rate_per_s in rates_per_s]
    return OperatingCurve(name, tuple(_point(one, provisioned=known.power == "provisioned") for one in points))


def _point(one: OpenLoop, *, provisioned: bool) -> OperatingPoint:
    latency_s = _quantiles("ttft", one.ttft) | ({} if one.tpot is None else _quantiles("tpot", one.tpot))
    rate = device_rate(one.prediction, provisioned=provisioned)
    return OperatingPoint(f"{one.rate_per_s.value:g} requests/s", rate, latency_s)


def _quantiles(name: str, spread: Spread) -> dict[str, float]:
    levels = (("q50", spread.q50_s), ("q90", spread.q90_s), ("q99", spread.q99_s))
    return {f"{name}_{level}": estimate.value for level, estimate in levels}

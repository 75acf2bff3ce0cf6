"""Modelled rates for sites of requests that arrive at random times: points with the quantiles of their latencies."""

from pathlib import Path

from bench.inference.predict import Scale
from bench.inference.rates import make_setup
from bench.inference.serving import Setup
from bench.inference.simulation.open_loop import OpenLoop, Traffic, open_loop, rates_of
from bench.inference.simulation.spread import Spread
from bench.inference.site.name import ALL, FORM, RateName
from bench.inference.site.rate import device_rate
from bench.inference.site.scale import scale_of
from hardware_profiles.errors import InputError
from sites.operating_points import CAPS_MARK, OperatingCurve, OperatingPoint

CAPS = 8  # points of a curve of power limits, the one without a lower limit included
LEAST_CAP_FRAC = 0.5  # [-] lowest limit over that of the device; below it the rate falls faster than the watts


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
        its range, or the name asks for curves of rates and of power limits at once.
    """
    if known.power == "caps" and known.rate == ALL:
        raise InputError.at("device", expected=f"{FORM} with one rate (2/s) for {CAPS_MARK}", got=name)
    setup = make_setup(known.model, known.dtype, known.device, known.gpus, known.engine)
    scale, traffic = scale_of(setup, store, known.server), Traffic(known.input_len, known.output_len)
    if known.power == "caps":
        return _curve_of_caps(name, setup, traffic, float(known.rate or ""), scale)
    rates_per_s = rates_of(known.rate or "", setup, traffic, scale, known.cap_w)
    points = [open_loop(setup, traffic, rate_per_s, scale, known.cap_w) for rate_per_s in rates_per_s]
    return OperatingCurve(name, tuple(_point(one, provisioned=known.power == "provisioned") for one in points))


def _curve_of_caps(name: str, setup: Setup, traffic: Traffic, rate_per_s: float, scale: Scale | None) -> OperatingCurve:
    """Return one rate of requests under power limits down to LEAST_CAP_FRAC of the device's.

    A limit above what the server draws changes nothing. One under which it cannot keep up, or below its lowest clock,
    is named with the reason.
    """
    free, limit_w = open_loop(setup, traffic, rate_per_s, scale), setup.device.limit_w
    if free.prediction.watts is None or free.prediction.watts.is_estimate or limit_w is None:
        expected = f"a device whose watts are modelled, for {CAPS_MARK}"
        raise InputError.at("device", expected=expected, got=setup.device.slug)
    points, left_out = [_point(free, provisioned=False, load=f"{rate_per_s:g} requests/s without a lower limit")], []
    for number in range(CAPS - 1):
        cap_w = limit_w * (1.0 - (1.0 - LEAST_CAP_FRAC) * (number + 1) / (CAPS - 1))
        load = f"{rate_per_s:g} requests/s at {cap_w:,.0f} W a GPU"
        try:
            one = open_loop(setup, traffic, rate_per_s, scale, cap_w)
        except InputError as error:
            left_out.append(f"{load}: {error}")
            continue
        if one.prediction.watts is not None and one.prediction.watts.clock_frac < 1.0:
            points.append(_point(one, provisioned=False, load=load))
    doubts = ("modelled: no power limit of this device was measured",)
    return OperatingCurve(name, tuple(reversed(points)), tuple(left_out), doubts)


def _point(one: OpenLoop, *, provisioned: bool, load: str | None = None) -> OperatingPoint:
    latency_s = _quantiles("ttft", one.ttft) | ({} if one.tpot is None else _quantiles("tpot", one.tpot))
    rate = device_rate(one.prediction, provisioned=provisioned)
    return OperatingPoint(load or f"{one.rate_per_s.value:g} requests/s", rate, latency_s)


def _quantiles(name: str, spread: Spread) -> dict[str, float]:
    levels = (("q50", spread.q50_s), ("q90", spread.q90_s), ("q99", spread.q99_s))
    return {f"{name}_{level}": estimate.value for level, estimate in levels}

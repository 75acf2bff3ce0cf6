"""Modelled rates for sites by name: one operating point, or a curve of power limits."""

from pathlib import Path

from bench.inference.power.cap import lowest_watts
from bench.inference.predict import Prediction, Run, Scale, plan_run, predict
from bench.inference.rates import make_setup
from bench.inference.site.name import RateName, read_name
from bench.inference.site.open_curve import open_curve
from bench.inference.site.rate import device_rate
from bench.inference.site.scale import scale_of
from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate
from sites.operating_points import CAPS_MARK, OperatingCurve, OperatingPoint

CAPS = 8  # power limits of a curve
LEAST_CAP_FRAC = 0.5  # [-] lowest of them over the highest; below it the rate falls faster than the watts


def modelled_rate(name: str, store: Path) -> DeviceRate | OperatingCurve:
    """Return the modelled rate of one GPU by its name, or its curve of power limits (`@caps`) or of requests (`/s`).

    Parameters
    ----------
    name
        As FORM in `bench.inference.site.name`; without a batch, at full load with no latency limit.
    store
        The results folder, in which measurements on the device are looked up.

    Raises
    ------
    InputError
        The name has another form, its model cannot be served on its device, or the power limit is outside its range.
    """
    known = read_name(name)
    if known.rate is not None:
        return open_curve(name, known, store)
    run, scale = _planned(known, store)
    if known.power == "caps":
        return _curve(name, run, scale)
    prediction = _predicted(run, scale, known.cap_w)
    return device_rate(prediction, provisioned=known.power == "provisioned")


def _planned(known: RateName, store: Path) -> tuple[Run, Scale | None]:
    setup = make_setup(known.model, known.dtype, known.device, known.gpus, known.engine)
    if known.clients is not None:
        setup.check_batch(known.clients, known.input_len, known.output_len)
    run = plan_run(setup, known.input_len, known.output_len, clients=known.clients)
    return run, scale_of(setup, store, known.server)


def _predicted(run: Run, scale: Scale | None, cap_w: float | None) -> Prediction:
    limit = "none (offline)" if run.clients is None else "none (closed loop)"
    return predict(run, latency_limit=limit, cap_w=cap_w, scale=scale)


def _curve(name: str, run: Run, scale: Scale | None) -> OperatingCurve:
    """Return the rate and watts of one load under power limits from half of what it draws to all of it."""
    free = _predicted(run, scale, None)
    if free.watts is None or free.watts.is_estimate:
        expected = f"a device whose watts are modelled, for {CAPS_MARK}"
        raise InputError.at("device", expected=expected, got=run.setup.device.slug)
    full_w, limit_w = free.watts.gpu_w, run.setup.device.limit_w or free.watts.gpu_w
    lowest_w = max(LEAST_CAP_FRAC * full_w, lowest_watts(free.watts.family, limit_w, full_w))
    points = []
    for number in range(CAPS):
        cap_w = lowest_w + (full_w - lowest_w) * number / (CAPS - 1)
        point = _predicted(run, scale, cap_w)
        rate = device_rate(point)
        # equal requests decode at one pace, so that the mean is the median; times to the first token differ
        latency_s = {} if point.tpot_s is None else {"tpot_q50": point.tpot_s}
        points.append(OperatingPoint(f"{cap_w:,.0f} W a GPU", rate, latency_s))
    return OperatingCurve(name, tuple(points), doubts=("modelled: no power limit of this device was measured",))

"""A prediction as the rate and watts of one GPU for a site, with the errors of both."""

import math
import re
from dataclasses import replace

from bench.inference.engine import DOUBTFUL_FRAC
from bench.inference.judged.blind import blind_words
from bench.inference.options import stated_words
from bench.inference.predict import Prediction
from bench.inference.serving import Setup
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import Basis, Boundary
from sites.market.device_rate import DeviceRate

DEVIATIONS = 2.0
"""Standard deviations of the hold-out rows' logarithmic errors between a figure and the ends of its interval."""


def device_rate(prediction: Prediction, *, provisioned: bool = False) -> DeviceRate:
    """Return the prediction as the rate of one GPU for a site, with its five tags.

    The interval of the rate is that of its class. The upper end of the watts' is DEVIATIONS of the hold-out rows'
    logarithmic errors above.

    Parameters
    ----------
    prediction
        The operating point, which gives rate, watts, time per token and their errors together.
    provisioned
        Whether to take the provisioned power where the watts are modelled.

    Raises
    ------
    InputError
        The device has no power in the catalogue, so the rate has no boundary; or the model's error on rows of this
        class is above DOUBTFUL_FRAC.
    """
    setup = prediction.setup
    name = f"{setup.shape.title} {setup.kind.name} on {setup.gpus} x {setup.device.title}"
    if prediction.tags is None:
        raise InputError(f"{name}: power: expected a power in the device's profile, got none")
    if prediction.warning is not None:
        raise InputError(
            f"{name}: rate: expected a class that is modelled to within {DOUBTFUL_FRAC:.0%}, got "
            f"{prediction.warning}; use a published figure (`figure`), a measured result (`result:ID`) or state a rate"
        )
    rate = prediction.tokens_per_s / setup.gpus
    power_w, interval, boundary, basis, kind, words = _power(prediction, provisioned=provisioned)
    return DeviceRate(
        name=name,
        unit="token",
        rate_per_s=rate,
        rate_interval_per_s=prediction.holdout.interval(rate),
        power_w=power_w,
        power_interval_w=interval,
        boundary=boundary,
        basis=prediction.basis,
        power_basis=basis,
        confidence=setup.device.confidence,
        source=(
            f"{_scaled(prediction)}perwatt's throughput model, engine class {setup.engine.name}{_stated(setup)}, "
            f"hold-out error {prediction.holdout.error_frac:.0%} over {prediction.holdout.rows} published rows "
            f"({blind_words()}); "
            f"{_published(prediction)}; power: {words}"
        ),
        tags=replace(prediction.tags, boundary=boundary, power_kind=kind),
        tpot_s=prediction.tpot_s,
    )


def _power(
    prediction: Prediction, *, provisioned: bool
) -> tuple[float | None, tuple[float, float] | None, Boundary, Basis, str, str]:
    """Return power and interval [W], boundary, basis, the word of the second tag, and where the power comes from."""
    device, watts = prediction.setup.device, prediction.watts
    if watts is None or provisioned:
        return device.power_w, None, device.boundary, "rated", "provisioned", device.power_source
    cap = "" if watts.cap_w is None else f", GPU limited to {watts.cap_w:,.0f} W"
    tested = "" if watts.is_tested else f"; no row of {device.slug} itself was tested"
    whole = "" if device.power_w is None else f"; provisioned: {device.power_w:,.0f} W"
    words = (
        f"estimated at this load from figures of idle and full GPUs, spread of {watts.node_rms_ln:.2f} assumed; no "
        f"watts under a load were published of {watts.family.name} GPUs{whole}"
        if watts.is_estimate
        else f"modelled at this load{cap}, {watts.family.name} GPUs, hold-out error {watts.holdout.error_frac:.0%} "
        f"over {watts.holdout.rows} published rows{tested}{whole}"
    )
    half_frac = math.expm1(DEVIATIONS * watts.node_rms_ln)
    basis: Basis = "assumed" if watts.is_estimate else "modelled"
    return watts.node_w, _interval(watts.node_w, half_frac), "node", basis, "modelled", words


def _scaled(prediction: Prediction) -> str:
    scale = prediction.scale
    return "" if scale is None else f"scaled by {scale.factor:.3g} ({scale.words}): "


def _stated(setup: Setup) -> str:
    words = stated_words(setup)
    return f", {words} (assumed)" if words else ""


def _interval(value: float, half_frac: float) -> tuple[float, float]:
    return value * (1.0 - half_frac), value * (1.0 + half_frac)


def _published(prediction: Prediction) -> str:
    """Return a sentence on the published rate of the same load among the bundled rows."""
    from bench.inference.published import published_like

    setup = prediction.setup
    lengths = (prediction.input_len, prediction.output_len)
    names = (setup.shape.name, setup.kind.name, setup.device.slug, setup.gpus)
    row = published_like(names, lengths, prediction.clients)
    if row is None or row.published_per_s is None:
        return "no published rate of this load is bundled"
    per_gpu = row.published_per_s / setup.gpus
    page = re.sub(r"https://(github\.com/[^/]+/[^/]+)/blob/[^/]+/.*/", r"\1, ", row.source)
    whole = f"{row.published_per_s:,.0f} of {setup.gpus}; {page}"
    return f"published for this load: {per_gpu:,.0f} tokens/s a GPU ({whole})"

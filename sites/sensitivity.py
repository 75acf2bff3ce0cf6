"""The effect of each assumption of a site on its net revenue, one assumption changed at a time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError
from hardware_profiles.reading import validate
from sites.dispatch.year import site_year, summarise
from sites.file.site_file import SiteFile
from sites.market.device_rate import DeviceRate
from sites.scenarios.causes import scaled
from sites.storage.ramps import MeasuredRamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.file.inputs import Inputs
    from sites.operating_points import OperatingCurve

STEP_FRAC = 0.1
SERIES = {"market.btc_usd": "btc", "price.hourly": "power"}  # inputs of scenarios, by the key of their series
METHOD = (
    "effect USD: the change of the year's net USD when only this value becomes 10 % lower (10 % higher, where a lower "
    "value is not possible); for a device, when its rate becomes 10 % lower; for a series, when all its values do"
)
_STEP = re.compile(r"([^.\[\]]+)(?:\[([^\]]*)\])?(?:\.|$)")


def effects_usd(inputs: Inputs) -> dict[str, float]:
    """Return the effect of each assumption on the net revenue of the year [USD], by key.

    An assumption without a number other than 0, or with one that cannot be changed alone, has no entry.
    """
    before = _net_usd(inputs)
    effects = {}
    site = inputs.site()
    for assumption in site.assumptions:
        if isinstance(assumption.value, str) and assumption.key in SERIES:
            lower = scaled(site, {SERIES[assumption.key]: 1 - STEP_FRAC})
            effects[assumption.key] = summarise(site_year(lower)).net_usd - before
        for changed in _changed(inputs, assumption.key, assumption.value):
            try:
                effects[assumption.key] = _net_usd(changed) - before
            except InputError:
                continue
            break
    return effects


def _changed(inputs: Inputs, key: str, value: float | str) -> Iterator[Inputs]:
    """Yield the inputs with one assumption 10 % lower, then 10 % higher; the second is for values at a limit."""
    for factor in (1 - STEP_FRAC, 1 + STEP_FRAC):
        if isinstance(value, str):
            device = inputs.devices.get(value)
            if key.endswith(".device") and device is not None and not isinstance(device, MeasuredRamp):
                yield replace(inputs, devices={**inputs.devices, value: _scaled(device, factor)})
        elif value != 0:
            document = _without_none(json.loads(inputs.file.model_dump_json()))
            entry = _entry(document, key)
            if isinstance(entry, dict) and entry.get("value") == value:
                entry["value"] = value * factor
                try:
                    yield replace(inputs, file=validate(SiteFile, document, inputs.path))
                except InputError:
                    continue


def _scaled(device: DeviceRate | OperatingCurve, factor: float) -> DeviceRate | OperatingCurve:
    if isinstance(device, DeviceRate):
        return replace(device, rate_per_s=device.rate_per_s * factor, rate_interval_per_s=None)
    points = (
        replace(point, rate=replace(point.rate, rate_per_s=point.rate.rate_per_s * factor, rate_interval_per_s=None))
        for point in device.points
    )
    return replace(device, points=tuple(points))


def _entry(document: Any, key: str) -> Any:
    """Return the entry that a key of the assumptions names, as in `mining[miners].pool_fee_percent`."""
    entry = document
    for name, label in _STEP.findall(key):
        entry = entry.get(name) if isinstance(entry, dict) else None
        if label and isinstance(entry, list):
            entry = next((row for row in entry if row.get("name") == label), None)
    return entry


def _net_usd(inputs: Inputs) -> float:
    return summarise(site_year(inputs.site())).net_usd


def _without_none(document: Any) -> Any:
    """Drop the keys that a site file leaves out; None stands for them."""
    if isinstance(document, dict):
        return {key: _without_none(value) for key, value in document.items() if value is not None}
    if isinstance(document, list):
        return [_without_none(item) for item in document]
    return document

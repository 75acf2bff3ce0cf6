"""The rate and power of a device by the name in a site file: profiles, stored results, fleets and models."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.device_rates.curves import operating_curve
from bench.device_rates.profiles import from_profile
from bench.device_rates.records import from_record, prompts_in
from bench.results.layout import STORE
from hardware_profiles.errors import InputError
from sites.market.unit_spread import FLEET_PREFIX
from sites.operating_points import CURVE_PREFIXES, OperatingCurve
from sites.storage.ramps import RAMP_PREFIX

if TYPE_CHECKING:
    from sites.market.device_rate import DeviceRate
    from sites.storage.ramps import MeasuredRamp

RESULT_PREFIX = "result:"


def resolve_device(
    name: str, *, store: Path = STORE, profiles: Iterable[str | Path] = ()
) -> "DeviceRate | OperatingCurve | MeasuredRamp":
    """Return the rate and power of a device that a site file names, the operating curve of a server, or a ramp.

    Parameters
    ----------
    name
        As in `resolve_rate`, the measured levels of a device or loads of a server (`curve:<id>`, once `sweep:<id>`), or
        power limits (`llm:...@caps`).
    store
        The results folder.
    profiles
        Files of further profiles.

    Raises
    ------
    InputError
        As `resolve_rate` and `operating_curve`.
    """
    if name.startswith(CURVE_PREFIXES):
        return operating_curve(name, store)
    if name.startswith(RAMP_PREFIX):
        from bench.ramp.terms import resolve_ramp

        return resolve_ramp(name, store)
    if name.startswith("llm:"):
        from bench.inference.site.modelled import modelled_rate

        return modelled_rate(name, store)
    return resolve_rate(name, store=store, profiles=profiles)


def resolve_rate(name: str, *, store: Path = STORE, profiles: Iterable[str | Path] = ()) -> "DeviceRate":
    """Return the rate and power of a named device.

    Parameters
    ----------
    name
        A profile (`antminer-s21:188t`), a stored result (`result:<id>`), the measured units of a model
        (`fleet:WORKLOAD/MODEL`) or the throughput model (`llm:...`). The result of a language model's layers is that
        of decoding; its prompts are looked up in the same results folder.
    store
        The results folder.
    profiles
        Files of further profiles.

    Raises
    ------
    InputError
        The name is unknown, or its device has no rate, no power, or lacks one of the five tags of a token rate.
    """
    if name.startswith("llm:"):
        from bench.inference.site.modelled import modelled_rate

        modelled = modelled_rate(name, store)
        if isinstance(modelled, OperatingCurve):
            single = "one operating point, without @caps or a rate in requests/s"
            raise InputError.at("device", expected=single, got=name)
        return modelled
    if name.startswith(FLEET_PREFIX):
        from bench.device_rates.fleets import fleet_rate

        return fleet_rate(name, store)
    if name.startswith(RESULT_PREFIX):
        from bench.results.folder import find_result, read_whole

        record = read_whole(find_result(store, name.removeprefix(RESULT_PREFIX)))
        return from_record(record, prompts_in(store, record))
    from hardware_profiles.catalog import load

    return from_profile(load(name, profiles))

"""The rated hash rate and wall power of a profile as the plain `DeviceRate` of a site."""

from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate

if TYPE_CHECKING:
    from hardware_profiles.profile import Figure, Profile


def from_profile(profile: "Profile") -> DeviceRate:
    """Return the rated hash rate and wall power of an ASIC's bin and mode.

    Raises
    ------
    InputError
        The profile is not of an ASIC, or lacks a rate or a power.
    """
    rate, power = profile.figure("hash_rate_th_s"), profile.figure("wall_power_w")
    if rate is None or power is None:
        missing = "hash_rate_th_s" if rate is None else "wall_power_w"
        raise InputError.at(f"profile {profile.name}", missing, expected="a figure; mining needs it")
    return DeviceRate(
        name=profile.name,
        unit="hash",
        rate_per_s=rate.si_value,
        rate_interval_per_s=_measured_interval(rate),
        power_w=power.si_value,
        power_interval_w=_measured_interval(power),
        boundary=power.boundary or "wall",
        basis=rate.basis,
        power_basis=power.basis,
        confidence=profile.confidence,
        source=", ".join(profile.device.sources[key].title for key in rate.sources) or "unknown",
    )


def _measured_interval(figure: "Figure") -> tuple[float, float] | None:
    """Return the 95 % interval of a measured figure, which is its tolerance; that of a rated one is a promise."""
    if figure.basis != "measured" or not figure.tolerance_frac:
        return None
    half = figure.si_value * figure.tolerance_frac
    return figure.si_value - half, figure.si_value + half

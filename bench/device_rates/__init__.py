"""The rate and power of a device by name, as the plain `DeviceRate` of a site: profiles, stored results and models."""

from bench.device_rates.curves import operating_curve
from bench.device_rates.names import RESULT_PREFIX, resolve_device, resolve_rate
from bench.device_rates.profiles import from_profile
from bench.device_rates.records import from_record, is_usable, usable_in_sites

__all__ = [
    "RESULT_PREFIX",
    "from_profile",
    "from_record",
    "is_usable",
    "operating_curve",
    "resolve_device",
    "resolve_rate",
    "usable_in_sites",
]

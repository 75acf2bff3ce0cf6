"""The catalogue's profile of a measured miner, by the model that its firmware names."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bench.compare.device_figures import DeviceFigures
from hardware_profiles.catalog import recognise
from hardware_profiles.profile import Device, Point, Profile

NOMINAL_AGREES_FRAC = 0.02  # [-] the firmware's nominal rate names a bin whose rate differs by no more
_BRANDS = frozenset({"bitmain", "antminer", "microbt", "whatsminer", "canaan", "avalonminer", "avalon"})
_WRITTEN_OUT = {"hydro": "hyd", "imm": "immersion"}
_HARDWARE_VERSION = re.compile(r"[_ ]v[a-z]?\d+\b.*$")  # the end of M30S+_VE40
_BRACKETS = re.compile(r"\([^)]*\)")


class Rated(NamedTuple):
    """The profile that a miner is rated by, or why there is none."""

    profile: Profile | None
    why: str = ""  # the reason that there is none, or what to know of the choice


def rated_miner(miner: DeviceFigures, devices: Iterable[Device]) -> Rated:
    """Return the profile of a miner: its model, the bin of its nominal rate, and the mode of its firmware.

    A model is recognised only as a whole, because a hydro miner differs from an air-cooled one by one word.
    """
    asics = [device for device in devices if device.kind == "asic"]
    model = recognise(miner.device, asics) or next(
        (one for one in asics if _key(one.model) == _key(miner.device)), None
    )
    if model is None:
        return Rated(None, f"the catalogue does not know {miner.device}")
    chosen = _bin(model, miner.nominal_rate_h_s)
    if chosen is None:
        names = ", ".join(profile.name for profile in model.profiles())
        return Rated(None, f"the catalogue has several bins of {model.slug}; name one ({names})")
    mode = next((one for one in chosen.modes if one.name == miner.mode.casefold()), None)
    other = miner.mode.casefold() not in {"", "0", "normal", "default", "standard"} and mode is None
    return Rated(Profile(model, chosen, mode), f"its mode {miner.mode} is not rated" if other else "")


def _bin(model: Device, nominal_rate_h_s: float | None) -> Point | None:
    if len(model.bins) == 1:
        return model.bins[0]
    if nominal_rate_h_s is None:
        return None
    rates = {abs(one.figures["hash_rate_th_s"].si_value / nominal_rate_h_s - 1.0): one for one in model.bins}
    nearest = min(rates)
    return rates[nearest] if nearest <= NOMINAL_AGREES_FRAC else None


def _key(name: str) -> str:
    """Return what tells one model from another: its words without brand, hardware version and brackets."""
    text = _HARDWARE_VERSION.sub("", _BRACKETS.sub(" ", name.casefold()))
    words = [word.strip(".") for word in text.replace("-", " ").split()]
    kept = [_WRITTEN_OUT.get(word, word) for word in words if word not in _BRANDS]
    key = " ".join(kept)
    return f"a{key}" if re.fullmatch(r"\d{4}", key) else key  # AvalonMiner 1246 is the Avalon A1246

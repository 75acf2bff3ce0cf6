"""`mining.configure`: the extensions that a miner asks for, and the answer to exactly those."""

import math
from dataclasses import dataclass, field

from bench.stratum.difficulty import share_difficulty
from bench.stratum.jobs import ROLLED_BITS
from kernels.sha256.header import MAX_TARGET, NONCES

_MOST_EXTENSIONS = 16
_LONGEST_HEX = 66  # digits of a target, with 0x in front


@dataclass(frozen=True, slots=True)
class Configuration:
    """The outcome of one `mining.configure`."""

    result: dict[str, object] = field(default_factory=dict)  # keys of extensions that were asked for, no others
    mask: int | None = None  # version bits that are granted; None if the request is not about them
    minimum_difficulty: float | None = None  # [-] as the miner asks; it is recorded only


def configure(params: object) -> Configuration | None:
    """Return the outcome of the parameters of `mining.configure`, or None if they are malformed.

    References
    ----------
    BIP 310; BIP 320 for the bits that may roll.
    """
    if not isinstance(params, list) or not 1 <= len(params) <= 2 or not isinstance(params[0], list):
        return None
    names = params[0][:_MOST_EXTENSIONS]
    values = params[1] if len(params) == 2 else {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in names):
        return None
    result: dict[str, object] = {}
    mask: int | None = None
    minimum: float | None = None
    for name in names:
        if name == "version-rolling":
            mask = _granted_mask(values)
            result[name] = mask != 0
            if mask:
                result["version-rolling.mask"] = f"{mask:08x}"
        elif name == "minimum-difficulty":
            minimum = number_of(values.get("minimum-difficulty.value"))
            result[name] = True
        else:
            result[name] = name in {"subscribe-extranonce", "info"}
    return Configuration(result, mask, minimum)


def _granted_mask(values: dict[str, object]) -> int:
    """Return the bits of BIP 320 that are asked for; 0 if the mask is malformed or has fewer bits than are needed."""
    asked = _hexadecimal(values.get("version-rolling.mask", "ffffffff"))
    granted = asked & ROLLED_BITS if asked is not None and asked < NONCES else 0
    needed = number_of(values.get("version-rolling.min-bit-count", 0))
    return granted if needed is None or granted.bit_count() >= needed else 0


def difficulty_of_text(target: object) -> float | None:
    """Return the difficulty of a target in hexadecimal, or None if the text is not a target."""
    value = _hexadecimal(target)
    return share_difficulty(value) if value is not None and 0 < value <= MAX_TARGET else None


def _hexadecimal(text: object) -> int | None:
    """Return a hexadecimal number of at most 256 bits, or None."""
    if not isinstance(text, str) or not text.isascii() or not text.isalnum() or len(text) > _LONGEST_HEX:
        return None
    try:
        return int(text, 16)
    except ValueError:
        return None


def number_of(value: object) -> float | None:
    """Return a finite number of at least 0, or None; some miners send it as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0.0 else None

"""The name of a modelled rate: `llm:MODEL:DTYPE:DEVICE[xGPUS][+ENGINE]:INPUT:OUTPUT...`."""

import math
from dataclasses import dataclass
from typing import Literal

from hardware_profiles.decoding import is_decimal
from hardware_profiles.errors import InputError
from sites.operating_points import CAPS_MARK, MODELLED_PREFIX, RATE_MARK

FORM = "llm:MODEL:DTYPE:DEVICE[xGPUS][+ENGINE]:INPUT:OUTPUT[:BATCH or :RATE/s][@POWER][~RESULT]"
POWERS = f"@WATTS of each GPU (@500W), {CAPS_MARK} or @provisioned"

ALL = "all"

Power = Literal["modelled", "provisioned", "caps"]


@dataclass(frozen=True, slots=True)
class RateName:
    """The parts of a modelled rate's name."""

    model: str
    dtype: str
    device: str  # slug
    gpus: int
    input_len: int  # [token]
    output_len: int  # [token]
    clients: int | None  # that keep one request open each, or None at full load or with a rate
    rate: str | None  # requests/s that arrive at random times as `--rate` takes it, or None without
    power: Power
    cap_w: float | None  # [W] power limit of each GPU, or None for the one that it ships with
    engine: str | None  # class of serving engines with its shards, or None for the default
    server: str | None  # id of a result of a server on this device, which scales the rate


def read_name(name: str) -> RateName:
    """Return the parts of a name.

    Raises
    ------
    InputError
        The name has another form.
    """
    text, mark, server = name.removeprefix(MODELLED_PREFIX).partition("~")
    if mark and not server:
        raise InputError.at("device", expected=f"{FORM} with the id of a result after ~", got=name)
    load, at, power = text.partition("@")
    parts = load.split(":")
    if len(parts) not in (5, 6):
        raise InputError.at("device", expected=FORM, got=name)
    model, dtype = parts[:2]
    device, plus, engine = parts[2].partition("+")
    if plus and not engine:
        raise InputError.at("device", expected=f"{FORM} with an engine after +", got=name)
    slug, cross, count = device.rpartition("x")
    many = bool(cross) and count.isdigit()
    is_open = len(parts) == 6 and parts[5].endswith(RATE_MARK)
    numbers = [_whole(part, name) for part in parts[3 : 5 if is_open else None]]
    return RateName(
        model, dtype, slug if many else device, int(count) if many else 1, numbers[0], numbers[1],
        numbers[2] if len(numbers) == 3 else None, _rate(parts[5], name) if is_open else None,
        *(_power(power, name) if at else ("modelled", None)), engine or None, server or None,
    )  # fmt: skip


def _rate(text: str, name: str) -> str:
    rate = text.removesuffix(RATE_MARK)
    if rate != ALL and not (is_decimal(rate) and 0.0 < float(rate) < math.inf):
        raise InputError.at("device", expected=f"{FORM} with requests/s above 0 (4.5/s), or all/s", got=name)
    return rate


def _power(text: str, name: str) -> tuple[Power, float | None]:
    if f"@{text}" == CAPS_MARK:
        return "caps", None
    if text == "provisioned":
        return "provisioned", None
    watts = text.removesuffix("W")
    if watts == text or not watts.isdigit() or int(watts) < 1:
        raise InputError.at("device", expected=f"{FORM} with {POWERS}", got=name)
    return "modelled", float(watts)


def _whole(text: str, name: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise InputError.at("device", expected=f"{FORM}, whole numbers at its end", got=name)
    return int(text)

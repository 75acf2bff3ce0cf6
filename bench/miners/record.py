"""The record of one reading of a miner: every figure of its firmware with unit, averaging window, origin and raw text.

A firmware often shows several rates and several powers. The record keeps all of them; it never chooses one.
"""

from dataclasses import dataclass
from typing import Literal

Averaging = Literal["instant", "mean", "decay", "since_restart", "unknown"]
"""How a firmware averages a rate: over a whole window, or with weights that decay."""
RateBasis = Literal["nonces", "nonces_minus_errors", "shares", "hash_counters", "nominal", "unknown"]
"""What a firmware counts for a rate; `nominal` is computed from clock and chips and counts nothing."""
PowerKind = Literal["ac_in_psu", "dc_out", "dc_out_plus_const", "estimate", "target", "nameplate", "unknown"]
"""What a power of a firmware is; only `ac_in_psu` is measured, by the supply at its own input."""
Place = Literal["inlet", "outlet", "board", "chip", "control_board", "psu", "voltage_regulator", "unknown"]


@dataclass(frozen=True, slots=True)
class RateReading:
    """One hashrate that the firmware shows."""

    rate_h_s: float  # [hash/s]
    averaging: Averaging
    window_s: float | None  # [s] length of the window, or the time constant; None if it is unknown or since restart
    basis: RateBasis
    raw_key: str  # command and key: `summary: GHS 5s`
    raw: str  # the value as sent


@dataclass(frozen=True, slots=True)
class PowerReading:
    """One power that the firmware shows."""

    power_w: float  # [W]
    kind: PowerKind
    raw_key: str
    raw: str


@dataclass(frozen=True, slots=True)
class TemperatureReading:
    """One temperature."""

    temperature_c: float  # [°C]
    place: Place
    raw_key: str


@dataclass(frozen=True, slots=True)
class FanReading:
    """One fan; a firmware that shows only one of the two figures leaves the other None."""

    speed_rpm: float | None  # [1/min]
    duty_frac: float | None  # [-] share of full drive
    raw_key: str


@dataclass(frozen=True, slots=True)
class Board:
    """One hash board; what the firmware does not show is None."""

    name: str
    rate_h_s: float | None = None  # [hash/s]
    nominal_rate_h_s: float | None = None  # [hash/s] from clock and chips
    chips: int | None = None  # chips that answer
    chips_expected: int | None = None
    frequency_hz: float | None = None  # [Hz]
    voltage_v: float | None = None  # [V]
    hardware_errors: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What the device is; addresses and serial numbers appear only as a short hash."""

    family: str  # the driver that read it
    maker: str = ""
    model: str = ""
    firmware: str = ""
    firmware_version: str = ""
    api_version: str = ""
    unit: str = ""  # hash of serial number or MAC address, which tells two units apart and names neither


@dataclass(frozen=True, slots=True)
class Mode:
    """The state of the machine."""

    name: str = ""  # as the firmware calls it: `normal`, `low`, `sleep`
    hashing: bool | None = None
    settled: bool | None = None  # whether the firmware says that start-up and tuning are over
    state: str = ""  # the firmware's own word for it
    profile: str = ""
    target_power_w: float | None = None  # [W]
    target_rate_h_s: float | None = None  # [hash/s]


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters since the last restart of the mining program."""

    elapsed_s: float | None = None  # [s]
    accepted: int | None = None  # shares
    rejected: int | None = None
    stale: int | None = None
    accepted_difficulty: float | None = None  # [-] sum of the difficulties of accepted shares
    rejected_difficulty: float | None = None
    stale_difficulty: float | None = None
    hardware_errors: int | None = None
    hashes: float | None = None  # [hash] total that the firmware counts


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool of the configuration; its address has no credentials and its user is not stored."""

    url: str
    status: str = ""
    active: bool | None = None
    priority: int | None = None
    difficulty: float | None = None
    accepted: int | None = None
    rejected: int | None = None
    stale: int | None = None
    kind: str = ""  # `user`, `fee` where the firmware tells them apart


@dataclass(frozen=True, slots=True)
class MinerReading:
    """What one miner says of itself at one moment."""

    identity: Identity
    read_utc: str = ""  # ISO 8601, when the poll began; the reader sets it, not the parser of a family
    rates: tuple[RateReading, ...] = ()
    powers: tuple[PowerReading, ...] = ()
    boards: tuple[Board, ...] = ()
    temperatures: tuple[TemperatureReading, ...] = ()
    fans: tuple[FanReading, ...] = ()
    mode: Mode = Mode()
    counters: Counters = Counters()
    pools: tuple[Pool, ...] = ()
    nominal_rate_h_s: float | None = None  # [hash/s] the maker's figure, as the firmware states it
    fee_frac: float | None = None  # [-] share of the work that the firmware keeps for its maker
    warnings: tuple[str, ...] = ()  # repairs of the replies, contradictions, figures that cannot be right

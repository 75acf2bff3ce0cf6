"""Personalities of the simulated miner: the habits and faults of real firmware, each switched on by itself."""

import math
from dataclasses import dataclass
from typing import Literal

from hardware_profiles.errors import InputError

VersionBits = Literal["replace", "or", "xor"]
Rounding = Literal["none", "down", "up"]
VERSION_BITS: tuple[VersionBits, ...] = ("replace", "or", "xor")
ROUNDINGS: tuple[Rounding, ...] = ("none", "down", "up")


@dataclass(frozen=True, slots=True)
class Personality:
    """What one simulated miner does otherwise than the protocol asks; the default does nothing otherwise."""

    version_bits: VersionBits = "replace"  # how rolled bits and the job's version become the header's version
    rounding: Rounding = "none"  # to which power of two the firmware rounds the difficulty
    ticket_mask: float | None = None  # [-] difficulty below which the chips report no nonce
    ignores_mask: bool = False  # rolls bits that the server did not allow
    five_parameters: bool = False  # submits without version bits, and rolls none
    rolls_time: bool = False  # moves the time of the header forwards
    crlf: bool = False  # ends its lines with carriage return and line feed
    slow_s: float = 0.0  # [s] pause in the middle of every line
    late_s: float = 0.0  # [s] how long a share waits before it is sent
    stale_s: float = 0.0  # [s] how long the miner goes on with the old job after a new one
    duplicates_frac: float = 0.0  # [-] share of the shares that it sends twice
    storm: int = 0  # connections that it opens and drops before the one that mines
    close_after: int | None = None  # shares after which it closes the connection and ends

    def __post_init__(self) -> None:
        """Refuse values that no miner could have."""
        for option, value in (("--slow-s", self.slow_s), ("--late-s", self.late_s), ("--stale-s", self.stale_s)):
            if not (math.isfinite(value) and 0.0 <= value <= 3600.0):
                raise InputError.at(option, expected="seconds from 0 to 3600", got=value)
        if not 0.0 <= self.duplicates_frac <= 1.0:
            raise InputError.at("--duplicates", expected="a share from 0 to 1", got=self.duplicates_frac)
        if self.storm < 0:
            raise InputError.at("--storm", expected="a number of connections, 0 or more", got=self.storm)
        if self.close_after is not None and self.close_after < 1:
            raise InputError.at("--close-after", expected="a number of shares, 1 or more", got=self.close_after)

    def difficulty(self, issued: float) -> float:
        """Return the difficulty that the miner works at [-] where the server issued one.

        A difficulty rounded down gives shares that the server refuses; one rounded up, or a ticket mask above it, loses
        shares without a word.
        """
        exponent = math.log2(issued)
        worked = {"none": issued, "down": 2.0 ** math.floor(exponent), "up": 2.0 ** math.ceil(exponent)}[self.rounding]
        return worked if self.ticket_mask is None else max(worked, self.ticket_mask)

    def words(self) -> str:
        """Return the habits that differ from the protocol, in words; empty if there are none."""
        parts = [
            self.version_bits != "replace" and f"version bits by {self.version_bits}",
            self.rounding != "none" and f"difficulty rounded {self.rounding}",
            self.ticket_mask is not None and f"ticket mask {self.ticket_mask:g}",
            self.ignores_mask and "version mask ignored",
            self.five_parameters and "five parameters",
            self.rolls_time and "time rolled",
            self.crlf and "CRLF",
            self.slow_s > 0.0 and f"slow by {self.slow_s:g} s",
            self.late_s > 0.0 and f"shares late by {self.late_s:g} s",
            self.stale_s > 0.0 and f"old job kept for {self.stale_s:g} s",
            self.duplicates_frac > 0.0 and f"duplicates {self.duplicates_frac:g}",
            self.storm > 0 and f"storm of {self.storm} connections",
            self.close_after is not None and f"closes after {self.close_after} shares",
        ]
        return ", ".join(part for part in parts if part)

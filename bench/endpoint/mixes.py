"""Runs with different mixes of prompt and answer: their lengths on the command line, and their windows from records."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.endpoint.figures.split import LEAST_MIXES, EnergySplit, MixWindow, split_energy
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Record

LONGEST = 10**6  # [token]


def parse_mixes(text: str | None) -> tuple[tuple[int, int], ...]:
    """Return the lengths of prompt and answer [token] of `512:128,128:512,1024:64`, or none for None.

    Raises
    ------
    InputError
        There are fewer than three, or one is not a mix.
    """
    if text is None:
        return ()
    pairs = [re.fullmatch(r"([0-9]{1,7}):([0-9]{1,7})", part.strip()) for part in text.split(",")]
    mixes = tuple((int(pair[1]), int(pair[2])) for pair in pairs if pair is not None)
    sound = len(mixes) == len(pairs) and all(1 <= i <= LONGEST and 2 <= o <= LONGEST for i, o in mixes)
    if not sound or len(set(mixes)) < LEAST_MIXES:
        expected = f"{LEAST_MIXES} or more different mixes of lengths, such as 512:128,128:512,1024:64"
        raise InputError.at("--mixes", expected=expected, got=text)
    return tuple(dict.fromkeys(mixes))


def split_of(records: "Sequence[Record]") -> EnergySplit | str:
    """Return the energy of prompts and of answers from the records of several mixes, or why there is none."""
    windows: list[MixWindow] = []
    u_meter_frac = 0.0
    for record in records:
        energy, part = record.energy_per_unit, record.endpoint
        if record.status != "ok" or energy is None or part is None or len(part.input_tokens) != len(record.windows):
            continue
        u_meter_frac = max(u_meter_frac, energy.u_meter_frac or 0.0)
        for window, input_tokens in zip(record.windows, part.input_tokens, strict=True):
            joules = next((one.joules for one in window.energy if one.meter == energy.meter), None)
            if joules is not None:
                mix = str(record.workload.parameters.get("lengths"))
                windows.append(MixWindow(mix, input_tokens, window.work, window.duration_s, joules))
    return split_energy(windows, u_meter_frac) if windows else "no load was metered"

"""The levels of a sweep: those that the user names, or a choice of the lever's own, none above the present one."""

import re
from collections.abc import Sequence

from bench.levers.protocol import Lever
from hardware_profiles.errors import InputError, near_names
from sites.control.model import OFF, Level

MOST = 8  # levels of a sweep, and changes of a device that each of them restarts
AUTO = "auto"
_NUMBER = re.compile(r"\d+(\.\d+)?")
_UNIT = re.compile(r"\d+(?:\.\d+)?\s*([^\d\s.].*)")


def parse_levels(text: str, lever: Lever) -> tuple[str, ...]:
    """Return the levels that `--levels` names, in its order; the unit of the last number holds for all.

    Raises
    ------
    InputError
        A level is unknown, is that of no work, is named twice, or cannot be set; or there are too few or too many.
    """
    if text.strip().casefold() == AUTO:
        return _spread([level.name for level in lever.levels if level.name != OFF])
    words = [word.strip() for word in text.split(",") if word.strip()]
    unit = _UNIT.fullmatch(words[-1]) if words else None
    named = [f"{word}{unit[1]}" if unit and _NUMBER.fullmatch(word) else word.replace(" ", "") for word in words]
    known = {level.name.casefold(): level.name for level in lever.levels}
    levels = [known.get(word.casefold(), word) for word in named]
    for level in levels:
        if level == OFF:
            raise InputError.at("--levels", expected="levels at which the device works", got=level)
        if why := lever.can(level):
            near = near_names(level, known.values())
            raise InputError.at("--levels", expected=f"a level that can be set ({why})", got=level, near=near)
    if len(set(levels)) < max(2, len(levels)) or len(levels) > MOST:
        raise InputError.at("--levels", expected=f"2 to {MOST} different levels", got=text)
    return tuple(levels)


def _spread(names: Sequence[str]) -> tuple[str, ...]:
    """Return at most MOST of the names, evenly spaced, with the first and the last."""
    if len(names) < 2:
        got = ", ".join(names) or "none"
        raise InputError.at(
            "--levels", expected="a lever that lists two levels or more, or the levels by name", got=got
        )
    last = len(names) - 1
    count = min(MOST, len(names))
    return tuple(names[round(at * last / (count - 1))] for at in range(count))


def downwards(
    levels: Sequence[str], present: str | None, lever: Lever, *, beyond: bool, every: bool
) -> tuple[str, ...]:
    """Return the levels from the highest down; none above the present one, unless the user asks for it.

    Parameters
    ----------
    levels
        The levels.
    present
        The level as found; None if the device does not show it.
    lever
        Whose levels have an order.
    beyond
        Whether levels above the present one are allowed.
    every
        Whether the user named each level; else those above are left out.

    Raises
    ------
    InputError
        A named level is above the present one, or the present one is not known.
    """
    rank = _ranks(lever.levels)
    ordered = sorted(levels, key=lambda level: _rank(level, rank), reverse=True)
    if beyond:
        return tuple(ordered)
    if present is None:
        expected = "--beyond with it, because the device does not show its present level"
        raise InputError.at("--levels", expected=expected, got=", ".join(levels))
    top = _rank(present, rank)
    above = [level for level in ordered if _rank(level, rank) > top]
    if above and every:
        expected = f"levels up to the present one ({present}), or --beyond"
        raise InputError.at("--levels", expected=expected, got=", ".join(above))
    kept = tuple(level for level in ordered if level not in above)
    if len(kept) < 2:
        expected = f"two levels or more up to the present one ({present}), or --beyond"
        raise InputError.at("--levels", expected=expected, got=", ".join(kept) or "none")
    return kept


def _ranks(levels: Sequence[Level]) -> dict[str, tuple[float, float]]:
    """Return the order of the levels: by expected power, else by their place in the list."""
    by_power = all(level.power_w is not None for level in levels if level.name != OFF)
    return {level.name: ((level.power_w or 0.0) if by_power else 0.0, float(at)) for at, level in enumerate(levels)}


def _rank(level: str, ranks: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """Return the place of a level in the order; a number with a unit that is not listed stands at its own value."""
    if level in ranks:
        return ranks[level]
    number = _NUMBER.match(level)
    return (float(number[0]) if number else float("inf"), float("inf"))

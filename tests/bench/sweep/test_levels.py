"""The levels of a sweep: named ones, those of the lever, and none above the present one."""

import pytest

from bench.sweep.levels import downwards, parse_levels
from hardware_profiles.errors import InputError
from sites.control.model import Level


class Caps:
    """A lever of power caps from 200 to 700 W."""

    levels = (Level("off", 30.0), *(Level(f"{w}W", float(w)) for w in range(200, 701, 50)))

    def can(self, level):
        """Refuse what is outside."""
        number = level.removesuffix("W")
        return None if number.isdecimal() and 200 <= int(number) <= 700 else "out_of_range: from 200W to 700W"


class Named:
    """A lever of modes without a power."""

    levels = (Level("off"), Level("low"), Level("normal"), Level("high"))

    def can(self, level):
        """Refuse what is not a mode."""
        return None if level in {"low", "normal", "high", "off"} else "unknown_level"


def test_the_unit_of_the_last_number_holds_for_all():
    assert parse_levels("300, 425,500W", Caps()) == ("300W", "425W", "500W")
    assert parse_levels("300w,500 W", Caps()) == ("300W", "500W")


def test_auto_takes_eight_levels_with_the_lowest_and_the_highest():
    levels = parse_levels("auto", Caps())
    assert (len(levels), levels[0], levels[-1]) == (8, "200W", "700W")
    assert parse_levels("auto", Named()) == ("low", "normal", "high")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("off,low", "levels at which the device works"),
        ("low,nomal", "near: normal"),
        ("low,low", "2 to 8 different levels"),
        ("low", "2 to 8 different levels"),
        ("", "2 to 8 different levels"),
    ],
)
def test_levels_that_are_none_are_refused(text, words):
    with pytest.raises(InputError, match="--levels") as refused:
        parse_levels(text, Named())
    assert words in str(refused.value) or "did you mean" in str(refused.value)


def test_nine_levels_and_a_level_out_of_range_are_refused():
    with pytest.raises(InputError, match="2 to 8 different levels"):
        parse_levels(",".join(f"{w}W" for w in range(200, 650, 50)), Caps())
    with pytest.raises(InputError, match="from 200W to 700W"):
        parse_levels("100,300W", Caps())


def test_a_sweep_downwards_leaves_out_what_is_above_the_present_level():
    lever = Caps()
    assert downwards(("200W", "400W", "600W"), "400W", lever, beyond=False, every=False) == ("400W", "200W")
    assert downwards(("200W", "400W", "600W"), "400W", lever, beyond=True, every=False) == ("600W", "400W", "200W")
    assert downwards(("low", "high", "normal"), "normal", Named(), beyond=False, every=False) == ("normal", "low")
    assert downwards(("425W", "310W"), "450W", lever, beyond=False, every=True) == ("425W", "310W")


@pytest.mark.parametrize(
    ("present", "every", "words"),
    [("400W", True, "levels up to the present one"), (None, False, "does not show its present level"),
     ("200W", False, "two levels or more up to the present one")],
)  # fmt: skip
def test_a_level_above_the_present_one_needs_beyond(present, every, words):
    with pytest.raises(InputError, match=words):
        downwards(("200W", "400W", "600W"), present, Caps(), beyond=False, every=every)

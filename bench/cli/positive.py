"""An option's value that is a number above 0, up to the largest that is plausible for it."""

import math
from typing import Any

import click

from hardware_profiles.errors import InputError


class Positive(click.FloatRange):
    """Above 0, finite and at most `highest`: the plain range lets `nan` through, and sums of 1e308 do not end well."""

    def __init__(self, highest: float) -> None:
        super().__init__(min=0, min_open=True)
        self.highest = highest

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number. Raises InputError that names the option for one beyond the range."""
        number = float(super().convert(value, param, context))
        if not math.isfinite(number) or number > self.highest:
            place = param.opts[-1] if param else "value"
            raise InputError.at(place, expected=f"a finite number above 0, up to {self.highest:,.0f}", got=number)
        return number


# Enough for each option that takes it. USD/PH/s/day: a petahash had the whole network of 2010 for itself, at ten cents
# a bitcoin; J/TH: a CPU of 2009 took some 10^7.
POSITIVE = Positive(1e9)

"""An option's value that is a finite number above 0."""

import math
from typing import Any

import click

from hardware_profiles.errors import InputError


class _Positive(click.FloatRange):
    """Above 0 and finite: the plain range lets `nan` through."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        number = float(super().convert(value, param, context))
        if not math.isfinite(number):
            raise InputError.at(param.opts[-1] if param else "value", expected="a finite number above 0", got=number)
        return number


POSITIVE = _Positive(min=0, min_open=True)

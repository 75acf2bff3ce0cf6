"""The text of a first site file: every key that a site needs, its default sourced or marked as an assumption."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Annotated

import jinja2
from pydantic import BaseModel, ConfigDict, Field

from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import read_toml

HERE = Path(__file__).parent
DEFAULT_COUNTRY = "US"


class Figure(BaseModel):
    """A number with its source and date; without a source it is an assumption."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    source: str = ""
    date: str = "unknown"


class Country(BaseModel):
    """The defaults of a country or state; money is in `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    region: str
    timezone: str
    currency: str = "USD"
    per_usd: Figure = Figure(value=1.0)
    energy: Figure  # [currency/MWh]
    demand_charge: Figure = Figure(value=0.0)  # [currency/kW-month]
    mean_c_by_month: Annotated[list[float], Field(min_length=12, max_length=12)]  # [degrees C]


@cache
def countries() -> dict[str, Country]:
    """Return the countries with defaults, by code."""
    return {code: Country.model_validate(table) for code, table in read_toml(HERE / "countries.toml").items()}


def country(code: str) -> Country:
    """Return the defaults of a country; raise InputError with the known codes for an unknown one."""
    known = countries()
    if code.upper() not in known:
        near = near_names(code, known, 5)
        raise InputError.at("--country", expected=f"one of {', '.join(known)}", got=code, near=near)
    return known[code.upper()]


def new_site(name: str, place: Country, start: dt.date, *, mining: bool, gpu: bool) -> str:
    """Return the text of a site file.

    Parameters
    ----------
    name
        Name of the site.
    place
        Defaults of its country.
    start
        First day of its year.
    mining, gpu
        Which blocks it has, at least one.
    """
    environment = jinja2.Environment(  # noqa: S701 (the text is TOML, and every text in it goes through `text`)
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("site.toml.jinja").render(
        name=name,
        country=place,
        start=start,
        mining=mining,
        gpu=gpu,
        share=50 if mining and gpu else 100,
        text=_text,
        value=_value,
        by_month=", ".join(f"{degrees:g}" for degrees in place.mean_c_by_month),
    )


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON text is a TOML text


def _value(figure: Figure) -> str:
    if not figure.source:
        return f"{figure.value:g}"
    return f"{{ value = {figure.value:g}, source = {_text(figure.source)}, date = {_text(figure.date)} }}"

"""The exports of SMARD, the market data of Germany's grid regulator."""

from doubles.feeds import truth
from doubles.feeds.europe.market import BERLIN, german

GERMANY = "Deutschland/Luxemburg"


def new(columns, resolution="Originalauflösungen"):
    """Return an export of {area: steps}, in the layout with a date and a time in each of two columns."""
    names = ["Datum von", "Datum bis", *(f"{area} [€/MWh] {resolution}" for area in columns)]
    rows = [
        [f"{truth.local(BERLIN, time_s):%d.%m.%Y %H:%M}" for time_s in (step.start_s, step.end_s)] + prices
        for step, prices in _rows(columns)
    ]
    return _written(names, rows)


def old(columns, resolution="Originalauflösungen"):
    """Return an export of {area: steps}, in the layout with a column for the date."""
    names = ["Datum", "Anfang", "Ende", *(f"{area} [€/MWh] {resolution}" for area in columns)]
    rows = [
        [
            f"{truth.local(BERLIN, step.start_s):%d.%m.%Y}",
            f"{truth.local(BERLIN, step.start_s):%H:%M}",
            f"{truth.local(BERLIN, step.end_s):%H:%M}",
            *prices,
        ]
        for step, prices in _rows(columns)
    ]
    return _written(names, rows)


def english(columns):
    """Return an export of {area: steps} from the English pages: other names, dates and decimal signs."""
    names = ["Start date", "End date", *(f"{area} [€/MWh] Original resolutions" for area in columns)]
    rows = [
        [_english(time_s) for time_s in (step.start_s, step.end_s)]
        + [price.translate(str.maketrans(",.", ".,")) for price in prices]
        for step, prices in _rows(columns)
    ]
    return _written(names, rows)


def _english(time_s):
    local = truth.local(BERLIN, time_s)
    return f"{local:%b} {local.day}, {local:%Y} {local.hour % 12 or 12}:{local:%M %p}"


def _rows(columns):
    for steps in zip(*columns.values(), strict=True):
        yield steps[0], [german(step.price) for step in steps]


def _written(names, rows):
    return "".join(";".join(row) + "\r\n" for row in [names, *rows]).encode("utf-8-sig")

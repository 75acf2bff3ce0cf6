"""A year of the European day-ahead market: hours until the end of September 2025, then quarters of an hour."""

from datetime import date, timedelta

from doubles.feeds import truth

BERLIN = "Europe/Berlin"
MADRID = "Europe/Madrid"
QUARTERS_SINCE = (2025, 10, 1)  # local


def year(zone=BERLIN):
    """Return the steps of 2025 in a zone."""
    first_s, last_s = truth.year(zone)
    change_s = truth.time_s(zone, *QUARTERS_SINCE)
    return [*truth.steps(first_s, change_s), *truth.steps(change_s, last_s, 15)]


def days(*dates, zone=BERLIN, minutes=60):
    """Return the steps of some local days."""
    spans = [(date(*parts), date(*parts) + timedelta(days=1)) for parts in dates]
    return [
        step
        for span in spans
        for step in truth.steps(*(truth.time_s(zone, day.year, day.month, day.day) for day in span), minutes)
    ]


def text(price):
    """Return a price with two decimals; text, such as the sign of a missing price, stays."""
    return price if isinstance(price, str) else f"{price:.2f}"


def german(price):
    """Return a price with a decimal comma and a point for thousands; text stays."""
    if isinstance(price, str):
        return price
    return f"{price:,.2f}".translate(str.maketrans(",.", ".,"))


def by_day(steps, zone=BERLIN):
    """Return the steps of each local date."""
    result = {}
    for step in steps:
        result.setdefault(truth.local(zone, step.start_s).date(), []).append(step)
    return result


def quoted(rows):
    """Return rows of cells as CSV in which every cell is quoted."""
    return "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)

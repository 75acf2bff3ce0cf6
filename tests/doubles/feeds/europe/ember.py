"""Ember's hourly wholesale prices: one file a country, or all countries."""

from doubles.feeds import truth
from doubles.feeds.europe.market import text

HEADING = "Country,ISO3 Code,Datetime (UTC),Datetime (Local),Price (EUR/MWhe)"


def countries(*series):
    """Return a file of series, each a country, its code, its zone and steps."""
    lines = [HEADING]
    for country, code, zone, steps in series:
        for step in steps:
            utc, local = truth.local("UTC", step.start_s), truth.local(zone, step.start_s)
            lines.append(f"{country},{code},{utc:%Y-%m-%d %H:%M:%S},{local:%Y-%m-%d %H:%M:%S},{text(step.price)}")
    return "".join(f"{line}\n" for line in lines).encode()

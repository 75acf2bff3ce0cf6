"""The JSON answers of Nord Pool's day-ahead API."""

import json

from doubles.feeds import truth
from doubles.feeds.europe.market import by_day


def answer(steps, area="SE4", currency="EUR", status="Final", zone="Europe/Stockholm"):
    """Return the answer for the days of some steps."""
    days = [
        {
            "market": "DayAhead",
            "deliveryArea": area,
            "status": status,
            "unit": f"{currency}/MWh",
            "currency": currency,
            "exchangeRate": 1,
            "marketMainCurrency": "EUR",
            "averagePrice": 41.19,
            "blockPrices": [{"blockName": "Peak", "blockStart": _time(day[0].start_s), "averagePrice": 30.16}],
            "prices": [
                {"price": step.price, "deliveryStart": _time(step.start_s), "deliveryEnd": _time(step.end_s)}
                for step in day
            ],
        }
        for day in by_day(steps, zone).values()
    ]
    return json.dumps(days).encode()


def areas(columns, currency="EUR", version=1, zone="Europe/Stockholm"):
    """Return the answers for {area: steps}, one a day, in the form that has all areas in each period."""
    first = next(iter(columns.values()))
    prices = {area: {step.start_s: step.price for step in steps} for area, steps in columns.items()}
    days = [
        {
            "deliveryDateCET": date.isoformat(),
            "version": version,
            "deliveryAreas": list(columns),
            "market": "DayAhead",
            "multiAreaEntries": [
                {
                    "deliveryStart": _time(step.start_s),
                    "deliveryEnd": _time(step.end_s),
                    "entryPerArea": {area: by_start[step.start_s] for area, by_start in prices.items()},
                }
                for step in day
            ],
            "currency": currency,
            "exchangeRate": 1,
            "areaStates": [{"state": "Final", "areas": list(columns)}],
        }
        for date, day in by_day(first, zone).items()
    ]
    return json.dumps(days).encode()


def _time(time_s):
    return f"{truth.local('UTC', time_s):%Y-%m-%dT%H:%M:%SZ}"

"""Carbon intensity of a truth of its own: exports of Electricity Maps, old and new, and answers of WattTime."""

import json

from doubles.feeds.truth import HOUR_S, local, price

NEW = (
    "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
    "Carbon intensity gCO₂eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),"
    "Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method"
)
OLD = (
    "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),"
    "Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,Renewable Percentage,Data Source,Data Estimated,"
    "Data Estimation Method"
)


def direct(time_s):
    """Return the direct intensity of an hour [gCO2eq/kWh]."""
    return round(300 + abs(price(time_s)) % 100, 2)


def life_cycle(time_s):
    """Return the intensity of the life cycle of an hour [gCO2eq/kWh]."""
    return round(direct(time_s) + 55.5, 2)


def marginal_lb(time_s):
    """Return the marginal emissions of an hour [lb/MWh]."""
    return round(900 + price(time_s) % 200, 2)


def electricity_maps(start_s, end_s, heading=NEW, zones=(("Sweden", "Sweden", "SE"),), subscript=True):
    """Return an export of hours of UTC; without the subscript ₂, some tools write a plain 2."""
    lines = [heading if subscript else heading.replace("₂", "2")]
    for moment_s in range(start_s, end_s, HOUR_S):
        stamp = f"{local('UTC', moment_s):%Y-%m-%d %H:%M:%S}"
        values = f"{direct(moment_s)},{life_cycle(moment_s)},99.42,60.13,svk.se,false,"
        lines += [f"{stamp},{country},{name},{zone},{values}" for country, name, zone in zones]
    return "\n".join([*lines, ""])


def watttime(start_s, end_s, region="CAISO_NORTH", units="lbs_co2_per_mwh", signal="co2_moer"):
    """Return an answer of /v3/historical in five-minute points; all points of an hour are alike."""
    points = [
        {"point_time": local("UTC", moment_s).isoformat(), "value": marginal_lb(moment_s)}
        for moment_s in range(start_s, end_s, 300)
    ]
    meta = {"data_point_period_seconds": 300, "region": region, "warnings": [], "signal_type": signal, "units": units}
    return json.dumps({"data": points, "meta": {**meta, "model": {"date": "2023-03-01"}}})

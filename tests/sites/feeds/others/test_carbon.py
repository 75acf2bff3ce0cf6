"""Carbon intensities are read with their four facts: average or marginal, direct or life cycle, mass and energy."""

import json

import pytest
from doubles.feeds.others import carbon
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import HOUR_S, year

from hardware_profiles.errors import InputError

YEAR = year("UTC")
TWO_DAYS = YEAR[0], YEAR[0] + 48 * HOUR_S
DIRECT, LIFE_CYCLE = {"scope": "direct"}, {"scope": "life-cycle"}


def truth_of(function):
    return lambda start_s, end_s: {at_s: function(at_s) for at_s in range(start_s, end_s, HOUR_S)}


@pytest.mark.parametrize("heading", [carbon.NEW, carbon.OLD])
@pytest.mark.parametrize("subscript", [True, False])
def test_exports_of_electricity_maps_are_the_truth(tmp_path, heading, subscript):
    text = carbon.electricity_maps(*YEAR, heading, subscript=subscript)
    for choice, function in ((DIRECT, carbon.direct), (LIFE_CYCLE, carbon.life_cycle)):
        feed = read_text(tmp_path, text, choice)
        assert (feed.layout.name, feed.layout.quantity, feed.unit) == ("electricity-maps", "carbon", "gCO2eq/kWh")
        assert feed.chosen == {"zone": "SE", "basis": "average", **choice}
        assert (feed.intervals.resolutions, feed.intervals.missing) == ({HOUR_S: 8760}, 0)
        assert not differences(feed, *YEAR, truth_of(function))


def test_direct_or_life_cycle_is_chosen(tmp_path):
    text = carbon.electricity_maps(*TWO_DAYS)
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, text)
    assert str(caught.value) == (
        f"{tmp_path}/file.csv: expected one scope, got 2: direct, life-cycle (choose with scope=NAME)"
    )
    with pytest.raises(InputError, match=r"expected a basis that the file has, got 'marginal' \(did you mean average"):
        read_text(tmp_path, text, {**DIRECT, "basis": "marginal"})


def test_zones_are_chosen(tmp_path):
    zones = (("Sweden", "Sweden", "SE"), ("USA", "Duke Energy Progress East", "US-CAR-CPLE"))
    text = carbon.electricity_maps(*TWO_DAYS, zones=zones)
    with pytest.raises(InputError, match="expected one zone, got 2: SE, US-CAR-CPLE"):
        read_text(tmp_path, text, DIRECT)
    assert len(read_text(tmp_path, text, {**DIRECT, "zone": "SE"}).intervals.values) == 48


def test_daily_exports_are_read_and_monthly_ones_refused(tmp_path):
    lines = carbon.electricity_maps(*YEAR).splitlines()
    daily = "\n".join([lines[0], *lines[1::24]])
    assert read_text(tmp_path, daily, DIRECT).intervals.resolutions == {86_400: 365}
    monthly = "\n".join([lines[0], *lines[1 :: 24 * 31]])
    with pytest.raises(InputError, match=r"Datetime \(UTC\): expected times 5, 15, 60, 1440 minutes apart, which"):
        read_text(tmp_path, monthly, DIRECT)


def test_an_empty_value_is_missing(tmp_path):
    text = carbon.electricity_maps(*TWO_DAYS).replace(f",{carbon.direct(TWO_DAYS[0])},", ",,", 1)
    assert read_text(tmp_path, text, DIRECT).intervals.missing == 1
    assert read_text(tmp_path, text, LIFE_CYCLE).intervals.missing == 0


@pytest.mark.parametrize(("signal", "basis"), [("co2_moer", "marginal"), ("co2_aoer", "average")])
def test_answers_of_watttime_keep_their_pounds(tmp_path, signal, basis):
    feed = read_text(tmp_path, carbon.watttime(*TWO_DAYS, signal=signal))
    assert (feed.layout.name, feed.unit) == ("watttime", "lbCO2/MWh")
    assert feed.chosen == {"zone": "CAISO_NORTH", "basis": basis, "scope": "direct"}
    assert feed.intervals.resolutions == {300: 576}
    assert not differences(feed, *TWO_DAYS, truth_of(carbon.marginal_lb))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("signal_type", "health_damage", "meta: signal_type: expected co2_moer or co2_aoer, got 'health_damage'"),
        ("units", "kg_co2_per_mwh", "meta: units: expected lbs_co2_per_mwh, got 'kg_co2_per_mwh'"),
        ("units", ["lb"], "meta: units: expected lbs_co2_per_mwh, got ['lb']"),
        ("data_point_period_seconds", 1,
         "meta: data_point_period_seconds: expected one of 300, 900, 3600, 86400, got 1"),
        ("data_point_period_seconds", 300.0,
         "meta: data_point_period_seconds: expected one of 300, 900, 3600, 86400, got 300.0"),
    ],
)  # fmt: skip
def test_another_signal_or_unit_is_refused(tmp_path, part, value, message):
    document = json.loads(carbon.watttime(*TWO_DAYS))
    document["meta"][part] = value
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, json.dumps(document))
    assert str(caught.value) == f"{tmp_path}/file.csv: {message}"


@pytest.mark.parametrize(
    ("point", "message"),
    [
        (7, "data: number 2: expected an object with point_time and value, got 7"),
        ({"value": 1}, "data: number 2: expected an object with point_time and value, got {'value': 1}"),
        ({"point_time": "2025-01-01T00:05:00", "value": 1}, "data: number 2: point_time: expected an ISO 8601 time wi"),
        ({"point_time": "2025-01-01T00:05:00Z", "value": "x"}, "data: number 2: value: expected a number with a decim"),
    ],
)
def test_a_faulty_point_is_refused(tmp_path, point, message):
    document = json.loads(carbon.watttime(*TWO_DAYS))
    document["data"][1] = point
    with pytest.raises(InputError) as caught:
        read_text(tmp_path, json.dumps(document))
    assert str(caught.value).startswith(f"{tmp_path}/file.csv: {message}")


def test_a_forecast_of_forecasts_is_refused(tmp_path):
    document = json.loads(carbon.watttime(*TWO_DAYS))
    document["data"] = [{"generated_at": "2025-01-01T00:00:00Z", "forecast": document["data"]}]
    with pytest.raises(InputError, match="data: number 1: expected an object with point_time and value, got"):
        read_text(tmp_path, json.dumps(document))

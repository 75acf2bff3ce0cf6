"""Scenarios on the page: the spread stands in the headline, the fan, the tornado and the table."""

import dataclasses

import pytest

from bench.report import collect
from bench.report.page import build
from hardware_profiles.errors import InputError
from sites.scenarios.outlook import default_outlook


def test_a_scenario_run_gives_headline_fan_tornado_and_table(tmp_path):
    gathered = dataclasses.replace(collect([], [""], tmp_path), catalogue=())
    outlook = default_outlook([year.site for year in gathered.sites], 64)
    page = build(dataclasses.replace(gathered, outlook=outlook))
    mined = outlook.fleet["mining_usd_per_mwh"]
    assert mined.p99 <= mined.p90 <= mined.p50 <= mined.p10
    assert "over 64 scenarios" in page[: page.index('id="devices"')]
    for key in ("fan", "tornado", "scenario-table"):
        assert f'id="{key}"' in page
    assert sum(cause.share_frac for cause in outlook.tornado.causes) == pytest.approx(1.0)


def test_no_scenarios_are_refused(tmp_path):
    gathered = collect([], [""], tmp_path)
    with pytest.raises(InputError, match="scenarios: expected a whole number"):
        default_outlook([year.site for year in gathered.sites], 0)

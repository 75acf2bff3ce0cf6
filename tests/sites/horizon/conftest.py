"""Sites with a horizon, written as files."""

import pytest

from sites.file.inputs import read_inputs
from sites.horizon.statement import statement
from sites.horizon.years import run_years

SITE = """
[site]
name = "Horizon"
timezone = "{timezone}"
start = {start}
[power]
interconnect_mw = 30
[cooling]
mining_pue = 1.05
gpu_pue = 1.2
[price]
{price}
[market]
btc_usd = {btc}
fees_percent_of_subsidy = 1
difficulty_growth_percent_per_year = {growth}
[[mining]]
name = "miners"
device = "air"
count = 2000
pool_fee_percent = 1
{miners}
{more}
"""

GPUS = """
[[inference]]
name = "gpus"
figure = "llama-3.3-70b-fp8-h200-1000-1000"
provisioned_w_per_gpu = 1275
gpus = 4000
demand_percent = 50
usd_per_gpu_hour = 1.5
{keys}
"""


@pytest.fixture
def make(tmp_path, devices):
    """Return a maker of inputs and site from parts of a site file."""

    def make(
        *,
        start="2026-01-01",
        timezone="America/New_York",
        price="energy_usd_per_mwh = 40",
        btc="80000",
        growth=0,
        miners="",
        gpus=None,
        more="",
    ):
        path = tmp_path / "horizon.toml"
        text = SITE.format(start=start, timezone=timezone, price=price, btc=btc, growth=growth, miners=miners, more="")
        text += ("" if gpus is None else GPUS.format(keys=gpus)) + more
        path.write_text(text, encoding="utf-8")
        ((inputs, site),) = read_inputs(path, devices)
        return inputs, site

    return make


@pytest.fixture
def state(make):
    """Return a maker of the statement of a number of years."""

    def state(years, **parts):
        return statement(run_years(*make(**parts), years))

    return state

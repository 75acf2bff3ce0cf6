"""The example files in docs/sites.md, capital.md, scenarios.md and feeds.md are valid as printed there."""

import tomllib
from pathlib import Path

import pytest

from bench.device_rates import resolve_device
from sites.api import load, run
from sites.capital.file import read_plan
from sites.file.prices.tables import PriceTable
from sites.scenarios.file import read_scenarios

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _first_toml(page: str, folder: Path) -> Path:
    text = (DOCS / page).read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    path = folder / "example.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_site_file_runs(tmp_path):
    (site,) = load(_first_toml("sites.md", tmp_path), resolve_device)
    assert run(site).net_usd > 0


def test_the_documented_capital_plan_is_valid(tmp_path):
    assert read_plan(_first_toml("capital.md", tmp_path)).purchase.kind == "gpu_modules"


def test_the_documented_scenario_file_is_valid(tmp_path):
    (tmp_path / "btc.csv").write_text("usd\n" + "".join(f"{100 + day % 7}\n" for day in range(60)), encoding="utf-8")
    assert read_scenarios(_first_toml("scenarios.md", tmp_path)).varying() == ("btc", "power")


@pytest.mark.parametrize(("number", "key"), [(1, "feed"), (2, "value")])
def test_the_documented_prices_of_market_files_are_valid(number, key):
    text = (DOCS / "feeds.md").read_text(encoding="utf-8").split("```toml\n")[number].partition("```")[0]
    table = PriceTable.model_validate(tomllib.loads(text)["price"])
    assert getattr(table.hourly, key)

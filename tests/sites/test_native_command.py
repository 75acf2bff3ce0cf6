"""`perwatt yield --native`, and what the hourly year says of prices that are finer than it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bench.cli import main

GEORGIA = "georgia-50mw-gpu-modules"
SITE = """
site = { name = "Quarters", start = 2026-01-01 }
power = { interconnect_mw = 10 }
cooling = { mining_pue = 1.05 }
price = { hourly = { file = "prices.csv", column = "usd" } }
market = { btc_usd = 80000, fees_percent_of_subsidy = 1 }
mining = [{ name = "miners", device = "antminer-s19-xp", facility_mw = 9, pool_fee_percent = 1 }]
"""


def perwatt(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture
def quarters(tmp_path):
    """Return the path of a site with prices of 15 minutes that change within the hour."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    prices = (f"{start + timedelta(minutes=15 * row):%Y-%m-%dT%H:%MZ},{20 + row % 4 * 40}" for row in range(8760 * 4))
    (tmp_path / "prices.csv").write_text("\n".join(["time,usd", *prices]), encoding="utf-8")
    path = tmp_path / "site.toml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_the_hourly_means_of_quarters_are_said_with_what_they_misprice(capsys, quarters):
    status, out, _ = perwatt(capsys, "yield", quarters)
    assert status == 0
    text = " ".join(out.split())
    assert "15-minute prices of prices.csv: hourly means" in text
    assert "hourly means misprice flexible load: at its prices of 15 minutes the site would net" in text
    _, out, _ = perwatt(capsys, "yield", quarters, "--json")
    (hourly,) = json.loads(out)["sites"]
    _, out, _ = perwatt(capsys, "yield", quarters, "--native", "--json")
    (native,) = json.loads(out)["sites"]
    assert (hourly["step_minutes"], native["step_minutes"], native["native"]) == (60, 15, None)
    gap = hourly["native"]
    assert gap["net_usd"] == native["summary"]["net_usd"]
    assert gap["more_usd"] == pytest.approx(gap["net_usd"] - hourly["summary"]["net_usd"])
    assert gap["more_usd"] > 0.0


def test_a_native_year_says_its_steps_and_refuses_what_takes_hours(capsys, quarters, tmp_path):
    status, out, _ = perwatt(capsys, "yield", quarters, "--native")
    assert status == 0
    assert "8760 hours in steps of 15 minutes" in " ".join(out.split())
    assert "misprice" not in out
    for option in (("--plan", tmp_path / "p.csv"), ("--out", tmp_path / "o"), ("--scenarios", "10")):
        status, _, err = perwatt(capsys, "yield", quarters, "--native", *option)
        assert (status, err) == (
            2,
            f"error: --native: expected no {option[0]} with it, which takes hourly years, got both\n",
        )


def test_an_example_with_one_price_has_no_native_year(capsys):
    _, out, _ = perwatt(capsys, "yield", GEORGIA, "--native", "--json")
    (native,) = json.loads(out)["sites"]
    _, out, _ = perwatt(capsys, "yield", GEORGIA, "--json")
    assert [native] == json.loads(out)["sites"]

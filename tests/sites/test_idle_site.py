"""`perwatt yield` on a site where nothing runs: the reason is stated, and no ratio to 0 MWh is printed."""

from pathlib import Path

import pytest

from bench.__main__ import main

SITE = (Path(__file__).parent / "small.toml").read_text(encoding="utf-8").replace('"air"', '"antminer-s21"')


def printed(capsys, tmp_path, *changes):
    text = SITE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["yield", str(tmp_path / "site.toml")])
    assert left.value.code == 0
    return capsys.readouterr().out


def test_power_that_costs_too_much_all_year(capsys, tmp_path):
    out = printed(capsys, tmp_path, ("energy_usd_per_mwh = 40", "energy_usd_per_mwh = 900"))
    assert "net 0 USD: nothing runs; power costs more than the output is worth in all 8,760 hours; excludes" in out
    assert "- USD/MWh" not in out
    assert " of 0 MWh" not in out


def test_an_outage_all_year_is_the_reason_where_power_is_cheap(capsys, tmp_path):
    outage = "interconnect_mw = 10\n[[power.outage]]\nstart = 2025-12-30T00:00:00Z\nhours = 9000"
    out = printed(capsys, tmp_path, ("interconnect_mw = 10", outage))
    assert "net 0 USD: nothing runs; outage in all 8,760 hours; excludes" in out


def test_a_cost_without_power_is_still_summed(capsys, tmp_path):
    changes = (
        ("energy_usd_per_mwh = 40", "energy_usd_per_mwh = 900"),
        ("[[mining]]", "[cost]\nfixed_usd_per_year = 5e4\n[[mining]]"),
    )
    assert "net -50,000 USD = - fixed cost 50,000: nothing runs; power costs" in printed(capsys, tmp_path, *changes)

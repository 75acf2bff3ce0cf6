"""The doubts about sizes as `perwatt yield` shows them: a line each, refused under --strict, listed in JSON."""

import json

import pytest

from bench.cli import main

CENTS = ("energy_usd_per_mwh = 40", "energy_usd_per_mwh = 4")


def perwatt(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture
def site(small_site_file):
    def write(*changes):
        text = small_site_file.read_text(encoding="utf-8").replace('device = "air"', 'device = "antminer-s21:200t"')
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        small_site_file.write_text(text, encoding="utf-8")
        return small_site_file

    return write


def test_a_doubt_is_a_warning_with_file_key_band_and_cause(site, capsys):
    path = site(CENTS)
    status, out, err = perwatt(capsys, "yield", path)
    assert (status, "BTC/day" in out) == (0, True)
    (line,) = err.splitlines()
    assert line.startswith(f"warning: {path}: key price.energy_usd_per_mwh: expected 10 to 300 USD/MWh, got 4 (")
    assert line.endswith("in cents per kWh? write 40)")


def test_strict_refuses_every_warning_before_anything_is_written(site, capsys, tmp_path):
    path = site(CENTS, ("btc_usd = 80000", "btc_usd = 80"))
    status, out, err = perwatt(capsys, "yield", path, "--strict", "--out", tmp_path / "run")
    assert (status, out) == (2, "")
    assert [line.split(": ")[2] for line in err.splitlines()] == ["key price.energy_usd_per_mwh", "key market.btc_usd"]
    assert not (tmp_path / "run").exists()
    assert perwatt(capsys, "yield", "georgia-50mw-mining", "--strict")[0] == 0


def test_json_lists_the_warnings_and_keeps_stderr_empty(site, capsys):
    status, out, err = perwatt(capsys, "yield", site(CENTS), "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert document["sites"][0]["flags"][0].startswith("key price.energy_usd_per_mwh: expected 10 to 300 USD/MWh")
    assert len(document["warnings"]) == 1


def test_what_is_absurd_is_refused_with_all_that_is_doubted(site, capsys):
    point = "[[market.difficulty]]\nstart = 2026-07-15\ndifficulty = 150\n[[mining]]"
    status, _, err = perwatt(capsys, "yield", site(CENTS, ("[[mining]]", point)))
    assert status == 2
    assert "key price.energy_usd_per_mwh" in err
    assert "key market.difficulty[0].difficulty" in err
    assert "in T? write 150e12" in err


def test_a_site_above_the_network_is_told_what_the_network_pays(site, capsys):
    big = [("interconnect_mw = 10", "interconnect_mw = 19000"), ("facility_mw = 9", "interconnect_percent = 100")]
    status, _, err = perwatt(capsys, "yield", site(*big, ("mining_pue = 1.05", "mining_pue = 1")))
    assert status == 2
    assert "EH/s that the difficulty implies" in err
    assert "BTC a day of the 45" in err  # 3.125 * 144 and a per cent of fees


def test_a_doubt_that_many_sites_share_is_one_line(tmp_path, capsys):
    path = tmp_path / "fleet.toml"
    members = "".join(
        f'[[sites]]\nname = "s{n}"\nregion = "north"\ntables.power.interconnect_mw = {10 + n}\n' for n in range(5)
    )
    path.write_text(
        '[fleet]\nname = "five"\n[defaults]\nsite.start = 2026-01-01\ncooling.mining_pue = 1.05\n'
        "market = {btc_usd = 84.7, fees_percent_of_subsidy = 1}\nprice.energy_usd_per_mwh = 40\n"
        'mining = [{device = "antminer-s21:200t", interconnect_percent = 100, pool_fee_percent = 1}]\n'
        f"[regions.north]\nsite.timezone = 'UTC'\n{members}",
        encoding="utf-8",
    )
    _, _, err = perwatt(capsys, "yield", path)
    (line,) = err.splitlines()
    assert line.startswith(
        f"warning: {path}: 5 sites: key market.btc_usd: expected 10,000 to 500,000 USD/BTC, got 84.7"
    )


def test_a_doubt_about_a_capital_plan_is_a_warning(tmp_path, capsys):
    from sites.examples import capital_path

    text = capital_path("50-ehs-for-400-musd").read_text(encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(text.replace("discount_percent = 12", "discount_percent = 0.12"), encoding="utf-8")
    words = ("yield", "georgia-50mw-mining", "--scenarios", 20, "--capital", path)
    assert "key finance.discount_percent: expected 1 to 50" in perwatt(capsys, *words)[2]
    status, _, err = perwatt(capsys, *words, "--strict")
    assert status == 2
    assert "a share instead of per cent? write 12" in err

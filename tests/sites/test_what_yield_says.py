"""What `perwatt yield` leaves unsaid because it would be false, says of a plan, and refuses because it does nothing."""

import json
import re

import pytest

from bench.cli import main
from sites.examples import capital_path, example_path

GEORGIA = "georgia-50mw-gpu-modules"
MINING = "georgia-50mw-mining"


def perwatt(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def without_miners(tmp_path, *changes):
    text = example_path(GEORGIA).read_text(encoding="utf-8")
    first, rest = text.index("[[mining]]"), text.index("[[inference]]")
    text = text[:first] + text[rest:]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "gpus.toml"
    path.write_text(text, encoding="utf-8")
    return path


def rent():
    text = example_path(GEORGIA).read_text(encoding="utf-8")
    (price,) = [line for line in text.splitlines() if line.startswith("usd_per_mtok")]
    return price, "usd_per_gpu_hour = 2.5"


def rented(tmp_path):
    return without_miners(tmp_path, rent())


def test_a_site_shows_only_what_it_sells(capsys, tmp_path):
    _, out, _ = perwatt(capsys, "yield", without_miners(tmp_path))
    assert "BTC/day" not in out
    assert "G tokens/day" in out
    _, out, _ = perwatt(capsys, "yield", rented(tmp_path))
    assert "BTC/day" not in out
    assert "tokens/day" not in out
    assert "difficulty" not in out.partition("Assumptions")[0]
    assert "GPU-hours" in out
    _, out, _ = perwatt(capsys, "yield", MINING)
    assert "tokens/day" not in out
    assert "BTC/day" in out


def test_the_power_of_a_block_says_whether_it_is_modelled_and_how_well(capsys, tmp_path):
    _, out, _ = perwatt(capsys, "yield", without_miners(tmp_path))
    assert "node power provisioned\n" in out
    _, modelled, _ = perwatt(capsys, "yield", without_miners(tmp_path, ("@provisioned", "")))
    assert re.search(r"node power modelled ± \d+ %", modelled)
    _, limited, _ = perwatt(capsys, "yield", without_miners(tmp_path, ("@provisioned", "@400W")))
    assert "GPU limited to 400 W" in " ".join(limited.split())


def test_a_site_chooses_among_the_power_limits_of_a_modelled_load(capsys, tmp_path):
    limit = ('@provisioned"', '@caps"\nlatency_limit = { tpot_q50_ms = 60 }')
    code, out, err = perwatt(capsys, "yield", without_miners(tmp_path, limit))
    assert code == 0
    assert re.search(r"\d+ W a GPU", out)
    assert "modelled: no power limit of this device was measured" in err
    code, _, err = perwatt(capsys, "yield", without_miners(tmp_path, ("@provisioned", "@caps"), rent()))
    assert code == 2
    assert "expected usd_per_mtok with @caps" in err


def test_a_fleet_has_a_dash_for_what_a_site_does_not_sell(capsys, tmp_path):
    _, out, _ = perwatt(capsys, "yield", MINING, rented(tmp_path))
    cells = [line.split() for line in out.splitlines() if line.strip().startswith("Georgia 50 MW")]
    assert [(row[-6] != "-", row[-5] != "-", row[-4]) for row in cells if "mining" in row] == [(True, True, "-")]
    assert [row[-6:-3] for row in cells if "modules" in row] == [["-", "-", "-"]]


def test_a_missing_input_of_the_capital_cost_is_named(capsys, tmp_path):
    text = example_path(GEORGIA).read_text(encoding="utf-8")
    (price,) = [line for line in text.splitlines() if line.startswith("gpu_usd_per_mw")]
    path = tmp_path / "unpriced.toml"
    path.write_text(text.replace(price, ""), encoding="utf-8")
    assert (
        "capital cost unknown: the site file does not state capital.gpu_usd_per_mw" in perwatt(capsys, "yield", path)[1]
    )
    path.write_text(text.replace("antminer-s19-xp", "antminer-s23-hyd"), encoding="utf-8")
    out = " ".join(perwatt(capsys, "yield", path)[1].split())
    assert "does not state capital.miner_usd_per_th_s, and no price is estimated because 9.5 J/TH is outside" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seed", 3), "--seed: expected --scenarios with it"),
        (("--no-sam",), "--no-sam: expected --out FOLDER with it"),
        (("--sam",), "--sam: expected --out FOLDER with it"),
        (("--assumptions", "--json"), "--assumptions: expected no --json with it"),
    ],
)
def test_an_option_without_effect_is_refused(capsys, words, message):
    status, out, err = perwatt(capsys, "yield", MINING, *words)
    assert (status, out) == (2, "")
    assert message in err


def test_a_plan_for_another_site_than_that_of_the_command_says_so(capsys):
    words = ("--scenarios", 16, "--capital", "50-mw-for-19.5-musd")
    status, _, err = perwatt(capsys, "yield", GEORGIA, *words)
    assert status == 0
    assert (
        "key site: the plan is appraised at its own site, 'georgia-50mw-mining', which is not one of the sites" in err
    )
    assert perwatt(capsys, "yield", GEORGIA, *words, "--strict")[0] == 2
    assert perwatt(capsys, "yield", MINING, *words)[2] == ""
    assert perwatt(capsys, "yield", MINING, GEORGIA, *words)[2] == ""


def test_a_site_in_the_folder_of_a_plan_is_that_of_the_command(capsys, tmp_path):
    for name, text in (("own.toml", example_path(MINING)), ("plan.toml", capital_path("50-mw-for-19.5-musd"))):
        (tmp_path / name).write_text(
            text.read_text(encoding="utf-8").replace('"georgia-50mw-mining"', '"own.toml"'), encoding="utf-8"
        )
    words = ("yield", tmp_path / "own.toml", "--scenarios", 16, "--capital", tmp_path / "plan.toml")
    assert perwatt(capsys, *words)[2] == ""


def test_a_p50_below_the_net_without_spread_is_explained(capsys, tmp_path):
    why = "P50 is below the net without spread: the median of a price lies below its mean"
    assert why in " ".join(perwatt(capsys, "yield", MINING, "--scenarios", 256)[1].split())
    still = tmp_path / "still.toml"
    still.write_text("[btc]\nvolatility_percent = 0\n[power]\nvolatility_percent = 0\n", encoding="utf-8")
    assert "P50 is below" not in perwatt(capsys, "yield", MINING, "--scenarios", 256, "--scenario-file", still)[1]


def test_the_seed_of_a_run_without_one_is_1(capsys):
    words = ("yield", MINING, "--scenarios", 16, "--json")
    first, second = (json.loads(perwatt(capsys, *words, *more)[1])["scenarios"] for more in ((), ("--seed", 1)))
    assert first == second
    assert first["seed"] == 1

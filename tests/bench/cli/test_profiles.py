"""`perwatt list profiles`, `show`, `profile new|check`, the catalogue in `compare`: as a stranger runs them."""

import json

import pytest


def test_the_catalogue_is_listed_filtered_and_as_json(perwatt):
    done = perwatt("list", "profiles", "--kind", "asic", "--max-j-per-th", 10, "--sort", "j-per-th", "--hashprice", 40)
    assert done.returncode == 0
    assert "antminer-s23-hyd" in done.stdout
    assert "at the stated 40 USD per PH/s and day" in done.stdout
    rows = json.loads(perwatt("list", "profiles", "--kind", "gpu", "--json").stdout)
    assert len(rows) >= 15
    assert {row["kind"] for row in rows} == {"gpu"}
    assert perwatt("list", "profiles", "--max-j-per-th", 0.1).stdout.strip() == "none"


def test_options_that_make_no_sense_are_refused_on_one_line(refused, tmp_path):
    assert "--max-j-per-th: expected a finite number" in refused("list", "profiles", "--max-j-per-th", "nan")
    assert "--kind: expected one of asic, gpu, cpu, got 'asci'" in refused("list", "profiles", "--kind", "asci")
    assert "expected --hashprice" in refused("list", "profiles", "--sort", "usd-per-mwh")
    assert "--released-after: expected a date" in refused("list", "profiles", "--released-after", "2026-13")
    assert "--profiles: expected a folder" in refused("list", "profiles", "--profiles", tmp_path / "none")


def test_a_device_is_shown_with_every_source_what_it_prints_and_who_disagrees(perwatt):
    shown = perwatt("show", "antminer-t21").stdout
    assert "computed antminer-t21:190t:high: 22.00 J/TH" in shown
    assert "marginal 190t:190t-high: 35.26 J/TH" in shown
    document = json.loads(perwatt("show", "antminer-s21", "--json").stdout)
    for source in document["sources"].values():
        assert source["address"] == "unknown" or source["printed"]
    lines = perwatt("show", "antminer-s21").stdout.splitlines()
    assert sum(line.startswith("source ") for line in lines) == len(document["sources"])
    assert any(line.startswith("conflict: ") for line in lines)


def test_a_profile_of_this_machine_is_written_once_and_passes_the_check(perwatt, refused, tmp_path):
    done = perwatt("profile", "new", "--out", "mine", "--name", "bench-machine")
    assert done.returncode == 0, done.stderr
    assert "left out" in done.stdout
    assert perwatt("profile", "check", "mine").stdout.strip() == "1 profile file checked, no faults"
    listed = perwatt("list", "profiles", "--profiles", "mine", "--kind", "cpu")
    assert "bench-machine" in listed.stdout
    assert "a name that no file has yet" in refused("profile", "new", "--out", "mine", "--name", "bench-machine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["bench-machine.toml"]


def test_a_profile_can_be_printed_and_given_as_json(perwatt):
    assert 'kind = "cpu"' in perwatt("profile", "new").stdout
    document = json.loads(perwatt("profile", "new", "--json").stdout)
    assert document["figures"]["cores"] >= 1
    assert "tdp_w" in document["left_out"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("profile", "new", "--device", "tpu"), "--device: expected cpu or gpu:INDEX"),
        (("profile", "new", "--name", "../x"), "--name: expected a name without a folder"),
        (("profile", "new", "--name", "Big Name"), "file name: expected lower-case words"),
        (("profile", "check", "none.toml"), "none.toml: expected a readable TOML file, got no such file"),
        (("profile", "check", "."), "expected profile files"),
        (("show", "antminer-s22"), "antminer-s2"),
        (("compare", "antminer-s21", "whatsminer-m60z"), "whatsminer-m60"),
        (("compare", "antminer-s21", "nvidia-h200", "--plot", "plot.gif"), "--plot: expected a file ending in"),
        (("compare", "antminer-s21", "nvidia-h200", "--hashprice", "nan"), "--hashprice: expected a finite number"),
        (("compare", "antminer-s21", "nvidia-h200", "--tokens", "llama"), "--tokens: expected a published"),
    ],
)
def test_a_wrong_request_is_one_line(refused, arguments, part):
    assert part in refused(*arguments)


def test_an_out_folder_that_is_a_file_is_refused_and_nothing_is_written(refused, tmp_path):
    (tmp_path / "taken").write_text("mine")
    assert "--out: expected a folder" in refused("profile", "new", "--out", "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_every_fault_of_a_checked_file_is_one_line_and_the_status_is_two(perwatt, tmp_path):
    (tmp_path / "bad-miner.toml").write_text(
        'profile_schema = 1\nkind = "asic"\nmaker = "M"\nmodel = "X"\nreleased = "2026"\ncooling = "air"\n'
        '[[bins]]\nname = "200t"\n'
        'hash_rate_th_s = { value = 200000, tolerance_pct = 3, basis = "rated", confidence = "unverified", '
        'date = "unknown", sources = [] }\n'
        'wall_power_w = { value = 3500, tolerance_pct = 3, basis = "rated", confidence = "one_source", '
        'date = "unknown", sources = [] }\n'
    )
    done = perwatt("profile", "check", "bad-miner.toml")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("error: bad-miner.toml: key bins.200t.") and "got" in line for line in lines)
    document = json.loads(perwatt("profile", "check", "bad-miner.toml", "--json").stdout)
    assert len(document["faults"]) == len(lines)


def test_twenty_devices_are_compared_with_a_plot(perwatt, tmp_path):
    names = [row["name"] for row in json.loads(perwatt("list", "profiles", "--json").stdout)][30:48]
    done = perwatt("compare", *names, "nvidia-h200", "amd-epyc-9654", "--hashprice", 40, "--plot", "plot.svg", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["overview"]) == 20
    assert document["plot"]["without_hash_rate_or_power"] == ["nvidia-h200", "amd-epyc-9654"]
    assert (tmp_path / "plot.svg").exists()

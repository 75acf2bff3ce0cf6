"""The assumptions of a yield: the ten with the largest effect, or all, in a pager on a terminal."""

import json

import pytest

from bench.cli import main


def printed(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["yield", *words])
    assert left.value.code == 0
    return capsys.readouterr().out


def test_the_ten_with_the_largest_effect_are_shown_and_the_rest_counted(capsys):
    out = printed(capsys, "georgia-50mw-gpu-modules")
    table = out[out.index("Assumptions, the 10 that matter most") :]
    assert "inference[gpu modules].usd_per_mtok" in table
    assert "price.delivery_usd_per_mwh" not in table
    document = json.loads(printed(capsys, "georgia-50mw-gpu-modules", "--json"))
    more = len(document["sites"][0]["assumptions"]) - 10
    assert f"{more} more: --assumptions shows all, --out and --json write all" in table


def test_all_are_printed_where_stdout_is_no_terminal_and_in_json(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = printed(capsys, "georgia-50mw-gpu-modules", "--assumptions")
    document = json.loads(printed(capsys, "georgia-50mw-gpu-modules", "--json"))
    keys = [row["key"] for row in document["sites"][0]["assumptions"]]
    assert f"Assumptions ({len(keys)})" in out
    assert all(f" {key} " in out for key in keys)


def test_all_open_in_a_pager_on_a_terminal(capsys, monkeypatch):
    import click

    pages = []
    monkeypatch.setattr(click, "echo_via_pager", pages.append)
    printed(capsys, "georgia-50mw-mining", "--assumptions")
    assert len(pages) == 1
    assert "price.delivery_usd_per_mwh" in pages[0]


def test_a_fleet_has_a_row_a_key_and_with_assumptions_a_row_a_value(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    short = printed(capsys, "fleet-40-sites")
    assert "4 values" in short
    assert "computed for the largest site, " in " ".join(short.split())
    whole = printed(capsys, "fleet-40-sites", "--assumptions")
    rows = [line for line in whole.splitlines() if line.startswith(" price.energy_usd_per_mwh ")]
    assert len(rows) == 4
    assert sum(int(row.split()[-1]) for row in rows) == 40

"""Tables on narrow terminals: numbers and words stay whole."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli import main
from bench.cli.layout import fit, fold
from bench.cli.output import short
from bench.cli.table import print_table
from bench.inference import validation
from bench.inference.published import DATA

ROWS = str(DATA / "second_holdout.csv")
VALIDATE = cache(validation.validate)


@pytest.fixture(autouse=True)
def validated_once(monkeypatch):
    """Fit and predict once for all widths: only how the rows are printed is tested here."""
    monkeypatch.setattr(validation, "validate", VALIDATE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("yield", "georgia-50mw-gpu-modules"),
        ("yield", "fleet-40-sites"),
        ("yield", "georgia-50mw-gpu-modules", "--scenarios", "20"),
        ("validate", "mining"),
        ("validate", "inference", "--data", ROWS),
    ],
    ids=" ".join,
)
def test_a_command_on_80_columns_prints_its_tables_whole(words, capsys, monkeypatch):
    def printed(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit):
            main(list(words))
        return capsys.readouterr().out

    narrow = printed(80)
    tables = [line for line in narrow.splitlines() if line.startswith(" ")]
    assert max(map(len, tables)) <= 80
    figures = {word for word in printed(1000).split() if word[0].isdigit() and word.replace(",", "")[-1].isdigit()}
    assert figures <= set(narrow.split())


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize(
    "line",
    [
        "list workloads", "list variants", "list models", "list profiles", "list meters", "show antminer-s21",
        "show nvidia-h200", "compare antminer-s21 nvidia-h200", "validate mining", "doctor",
        f"validate inference --data {ROWS}", "run llm --model llama-3.1-8b --dtype fp8 --batch 1,8",
        "run llm --model llama-3.1-8b --dtype fp8 --rate 5,200",
        "yield georgia-50mw-gpu-modules",
    ],
)  # fmt: skip
def test_a_command_fits_every_width_and_cuts_no_word(line, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as left:
        main(line.split())
    assert left.value.code in (0, None)
    lines = capsys.readouterr().out.splitlines()
    # Only a word that cannot break (an address, a path) may be wider.
    assert [text for text in lines if len(text) > columns and max(map(len, text.split())) < columns - 12] == []
    assert not any("…" in text for text in lines)


def test_a_table_too_wide_for_its_words_becomes_records_with_whole_numbers(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    print_table(["name", "much more", "note"], [["a_long_name_of_something", "123,456,789,012,345", ""]], right=(1,))
    lines = capsys.readouterr().out.split()
    assert "123,456,789,012,345" in lines
    assert "a_long_" in lines
    assert "note" not in lines


def test_a_long_name_breaks_between_segments_then_words_and_a_long_word_ends_in_an_ellipsis():
    assert fold("price.demand_charge_usd", 18) == "price.\ndemand_charge_usd"
    assert fold("price.demand_charge_usd", 14) == "price.demand_\ncharge_usd"
    assert fold("2026-01-01 1.25", 10) == "2026-01-01\n1.25"
    assert fold("incomprehensible", 6) == "incom…"


def test_text_gives_way_before_numbers():
    assert fit([["name", "a long text of words"], ["n", "123,456"]], {1}, 20) == (1, [13, 7])


def test_a_number_is_separated_from_its_unit_only_where_the_text_cannot_give_way():
    columns = [["name", "unbreakable"], ["made", "1,276 tokens"]]
    assert fit(columns, {1}, 23) == (0, [11, 12])
    assert fit(columns, {1}, 18) == (2, [11, 7])
    assert fit(columns, {1}, 16) is None


def test_a_key_breaks_within_a_segment_only_after_numbers_are_separated_from_their_units():
    columns = [["key", "power.interconnect_mw"], ["value", "1,276 tokens"]]
    assert fit(columns, {1}, 27) == (1, [15, 12])
    assert fit(columns, {1}, 22) == (2, [15, 7])
    assert fit(columns, {1}, 20) == (3, [14, 6])


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=20), max_size=6), st.integers(3, 40)
)
def test_no_line_is_wider_than_asked(words, width):
    assert all(len(line) <= width for line in fold(" ".join(words), width).split("\n"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (9876.5, "9,876"),
        (15_099_130, "15.10M"),
        (999_000, "999.0k"),
        (-2.5e9, "-2.500G"),
        (3e16, "30.00P"),
    ],
)
def test_long_figures_get_a_prefix(value, text):
    assert short(value) == text


def test_the_catalogue_leaves_out_its_last_columns_where_there_is_no_room_and_says_so(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["list", "profiles"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "columns hidden (terminal too narrow): basis, confidence" in out

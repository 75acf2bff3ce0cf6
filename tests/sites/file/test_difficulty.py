"""The difficulty of a site: points of the site file or of a table, exact from their own time on."""

import pytest

from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.market.bitcoin import expected_hashes, known_until_unix
from sites.planners.stored_inputs import load_inputs, store_inputs

NO_FEES = ("fees_percent_of_subsidy = 1", "fees_percent_of_subsidy = 0")


def point(start, difficulty):
    return f"[[market.difficulty]]\nstart = {start}\ndifficulty = {difficulty}\n"


def btc_of_a_year(site, difficulty):
    (block,) = site.mining
    hashes = block.count * block.rate.rate_per_s * 365 * 86_400
    return hashes * 3.125 / (difficulty * expected_hashes(DIFFICULTY_1_TARGET)) * (1.0 - block.pool_fee_frac)


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_a_point_at_the_start_of_the_year_decides_the_whole_year(edited, year):
    text = f"start = {year}-01-01\n"
    site = edited("start = 2026-01-01\n", text, add=point(f"{year}-01-01", "150000000000000"))
    done = site_year(site)
    with_fees = btc_of_a_year(site, 1.5e14) * 1.01
    assert done.blocks[0].btc == pytest.approx(with_fees, rel=1e-9)
    assert done.assumed_frac == 1.0


def test_a_step_between_two_epochs_counts_from_its_own_hour(edited):
    low, high = 1.2e14, 1.8e14
    site = edited(
        "start = 2026-01-01\n",
        "start = 2027-01-01\n",
        add=point("2026-12-31", f"{low:.0f}") + point("2027-04-11T05:30:00Z", f"{high:.0f}"),
    )
    share = (100 * 24 + 5.5) / 8760
    whole = share * btc_of_a_year(site, low) + (1 - share) * btc_of_a_year(site, high)
    assert site_year(site).blocks[0].btc == pytest.approx(whole * 1.01, rel=1e-9)


def test_a_point_after_the_year_is_refused_by_name(edited):
    with pytest.raises(InputError, match=r"edited.toml: key market.difficulty\[1\].start: expected a time before"):
        edited(add=point("2026-08-01", "150e12") + point("2027-01-01", "160e12"))


def test_points_that_a_later_one_replaces_before_the_year_are_mentioned_once(edited):
    before = [point(f"2025-{month}-01", "1.2e14") for month in ("05", "08", "11")]
    site = edited(add="".join(before) + point("2026-03-01", "1.6e14"))
    (line,) = [note for note in site.notes if "market.difficulty" in note]
    assert line == (
        "market.difficulty: 2 points before the year without effect, because the one of 2025-11-01T00:00Z "
        "holds at its start"
    )
    assert not any("market.difficulty" in note for note in edited(add=before[0] + point("2026-03-01", "1.6e14")).notes)


def test_points_out_of_order_are_refused_with_both_times(edited):
    with pytest.raises(InputError, match="increasing times, got 2026-08-01T00:00Z after 2026-09-01T00:00Z"):
        edited(add=point("2026-09-01", "150e12") + point("2026-08-01", "160e12"))


@pytest.fixture
def with_table(edited, small_site_file):
    def load(text, add=""):
        small_site_file.with_name("path.csv").write_text(text, encoding="utf-8")
        return edited("[[mining]]", 'difficulty_file = "path.csv"\n[[mining]]', add=add)

    return load


TABLE = (
    "# a forecast\n"
    "start,difficulty,source\n"
    "2025-07-01,1.3e14,a\n"
    "2026-03-01T12:00:00+02:00,1.6e14,a\n"
    "2029-01-01,9e14,a\n"
)


def test_a_table_of_difficulty_is_the_same_as_its_points_in_the_site_file(with_table, edited):
    table = with_table(TABLE)
    listed = edited(add=point("2025-07-01", "1.3e14") + point("2026-03-01T10:00:00Z", "1.6e14"))
    assert table.path.points[:2] == listed.path.points
    assert site_year(table).blocks[0].btc == site_year(listed).blocks[0].btc
    assert table.path.assumed_from_unix() < known_until_unix()
    (listing,) = [a for a in table.assumptions if a.key == "market.difficulty_file"]
    assert listing.value == "path.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,difficulty\n2026-01-01,1e14\n", "path.csv: key start: expected this column, once"),
        ("start,difficulty\n", "path.csv: expected at least one row"),
        ("start,difficulty\n2026-13-01,1e14\n", "line 2: start: expected a day or time in ISO 8601, got '2026-13-01'"),
        ("start,difficulty\n2026-01-01,150T\n", "line 2: difficulty: expected a number of 1 to"),
        ("start,difficulty\n2026-01-01,1_0\n", "line 2: difficulty: expected a number of 1 to"),
        ("start,difficulty\n2026-01-01,nan\n", "line 2: difficulty: expected a number of 1 to"),
        ("start,difficulty\n2026-02-01,1e14\n2026-02-01,2e14\n", "line 3: start: expected a time after the row before"),
        ("start,difficulty\n1999-01-01,1e14\n", "line 2: start: expected a day of 2009"),
    ],
)
def test_a_bad_table_of_difficulty_is_refused_with_file_and_line(with_table, text, message):
    with pytest.raises(InputError) as error:
        with_table(text)
    assert message in str(error.value)


def test_a_table_beside_points_is_refused(with_table):
    with pytest.raises(InputError, match=r"expected \[\[market.difficulty\]\] or difficulty_file, got both"):
        with_table(TABLE, add=point("2026-01-01", "1e14"))


def test_a_table_of_difficulty_is_stored_with_the_inputs_of_a_run(with_table, small_site_file, tmp_path, resolve):
    site = with_table(TABLE)
    path = small_site_file.with_name("edited.toml")
    store_inputs([inputs for inputs, _ in read_inputs(path, resolve)], tmp_path / "run" / "inputs")
    (stored,) = load_inputs(tmp_path / "run")
    assert stored.site().path == site.path == load_site(path, resolve).path

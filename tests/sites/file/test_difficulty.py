"""The difficulty of a site: points of the site file or of a table, exact from their own time on."""

from datetime import date

import pytest

from hardware_profiles.errors import InputError
from kernels.sha256.header import DIFFICULTY_1_TARGET
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.difficulty import read_epochs, read_points
from sites.file.inputs import read_inputs
from sites.market.bitcoin import expected_hashes, known_until_unix
from sites.market.retarget import check_bits, next_nbits
from sites.perspective.mining import mining_perspective
from sites.planners.package import write_package
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


EPOCHS = (  # by the rule of the network, with invented times of blocks
    "# from an invented node\n"
    "start,difficulty,height,bits,last_unix\n"
    "2026-06-14T00:36:26Z,{},953568,170240c3,1782547386\n"
    "2026-06-27T08:12:16Z,{},955584,{},{}\n"
    "2026-07-12T09:28:06Z,{},957600,{},\n"
)


@pytest.fixture
def epochs_text():
    last, second_end = 0x170240C3, 1_782_547_936 + 1_300_000
    second = next_nbits(last, 1_150_000)
    third = next_nbits(second, 1_300_000)
    values = [f"{check_bits('x', bits, None):.6f}" for bits in (last, second, third)]
    return EPOCHS.format(values[0], values[1], f"{second:08x}", second_end, values[2], f"{third:08x}")


def test_a_table_of_epochs_is_data_and_not_an_assumption(with_table, edited, epochs_text):
    site, without = with_table(epochs_text), edited()
    assert [epoch.start_height for epoch in site.path.supplied] == [953_568, 955_584, 957_600]
    assert known_until_unix(site.path) == site.path.supplied[-1].start_unix + 14 * 86_400
    assert site.path.points == ()
    assert site_year(site).assumed_frac == pytest.approx(site_year(without).assumed_frac - 28.37 / 365, abs=1e-3)
    assert "held at that of epoch 475 (height 957600) after 2026-07-26" in site.path.label()


def test_the_age_of_the_difficulty_data_of_a_site_is_that_of_its_table(with_table, edited, epochs_text):
    for site, day in ((with_table(epochs_text), date(2026, 7, 26)), (edited(), date(2026, 6, 28))):
        year = site_year(site)
        assert mining_perspective(site, site.mining[0], year.blocks[0]).difficulty_known_until == day


def test_a_planner_folder_says_until_when_the_difficulty_of_its_sites_is_data(
    with_table, edited, epochs_text, tmp_path
):
    for name, sites, day in (
        ("one", [with_table(epochs_text)], "2026-07-26"),
        ("two", [with_table(epochs_text), edited()], "2026-06-28"),
    ):
        write_package(tmp_path / name, [site_year(site, hourly=True) for site in sites], [], version="test", sam=False)
        assert day in (tmp_path / name / "tables" / "run.csv").read_text("utf-8")


def test_the_points_of_a_table_of_epochs_are_those_of_a_plain_table(epochs_text, tmp_path):
    path = tmp_path / "difficulty.csv"
    path.write_text(epochs_text, encoding="utf-8")
    points = read_points(path)
    assert [start for start, _ in points] == [epoch.start_unix for epoch in read_epochs(path)]
    for (_, value), epoch in zip(points, read_epochs(path), strict=True):
        assert value * expected_hashes(DIFFICULTY_1_TARGET) == pytest.approx(epoch.hashes_per_block, rel=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",170240c3,", ",170240C3,", "line 3: bits: expected 8 hexadecimal digits, got '170240C3'"),
        (",170240c3,", ",170240c4,", "line 3: difficulty: expected 124932"),
        (",953568,", ",,", "line 3: height: expected a whole number, got ''"),
        (",1782547386", ",1782547999", "height 955584: bits: expected 170224a2 by the rule of the network"),
        (",1782547386", ",", "height 955583: expected the time of this block"),
        (",1782547386", ",x", "line 3: last_unix: expected a whole number, got 'x'"),
        (",953568,170240c3", ",951552,170240c3", "expected height 953568 after 951552, got 955584"),
    ],
)
def test_a_changed_table_of_epochs_is_refused(with_table, epochs_text, old, new, message):
    assert old in epochs_text
    with pytest.raises(InputError) as error:
        with_table(epochs_text.replace(old, new, 1))
    assert message in str(error.value)

"""Changes since a stored run, and the effect of each changed input."""

import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hardware_profiles.errors import InputError
from sites.changes import PROGRAM, changes_since
from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.planners.package import write_package


@pytest.fixture
def stored(small_site_file, resolve, tmp_path):
    """Write a run of the small site; return a function that compares an edited file with it."""
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    write_package(tmp_path / "run", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    text = small_site_file.read_text(encoding="utf-8")

    def compare(*edits, lookup=resolve):
        changed = text
        for old, new in edits:
            assert old in changed
            changed = changed.replace(old, new, 1)
        small_site_file.write_text(changed, encoding="utf-8")
        given = read_inputs(small_site_file, lookup)
        return changes_since(tmp_path / "run", [one for one, _ in given]), site_year(given[0][1]).net_usd - site_year(
            site
        ).net_usd

    return compare


def test_nothing_changed_is_no_change(stored):
    assert stored()[0].changes == ()


def test_another_source_for_the_same_value_is_no_change(stored):
    assert stored(("btc_usd = 80000", "btc_usd = {value = 80000, source = 'x', date = '2026-01-01'}"))[0].changes == ()


def test_each_changed_input_is_named_and_their_effects_add_up(stored):
    found, whole = stored(
        ("btc_usd = 80000", "btc_usd = 90000"),
        ("facility_mw = 9", "facility_mw = 8"),
        ("energy_usd_per_mwh = 40", "energy_usd_per_mwh = 45"),
    )
    assert [change.key for change in found.changes] == [
        "price.energy_usd_per_mwh",
        "market.btc_usd",
        "mining[miners].facility_mw",
    ]
    assert sum(change.net_usd for change in found.changes) == pytest.approx(whole, rel=1e-12)
    assert (found.changes[1].before, found.changes[1].after) == ("80000", "90000")
    assert found.changes[1].btc_per_day == 0.0


def test_inputs_that_only_make_sense_together_are_counted_together(stored):
    found, whole = stored(("facility_mw = 9", "count = 2000"))
    (change,) = found.changes
    assert change.key == "mining[miners].count and mining[miners].facility_mw"
    assert change.net_usd == pytest.approx(whole, rel=1e-12)


def test_a_block_that_came_is_one_change(stored):
    block = '[[mining]]\nname = "more"\ndevice = "air"\ncount = 10\npool_fee_percent = 1\n\n[[mining]]'
    found, whole = stored(("[[mining]]", block))
    assert [change.key for change in found.changes] == ["mining"]
    assert found.changes[0].net_usd == pytest.approx(whole, rel=1e-12)


def test_a_device_measured_anew_is_named(stored, resolve):
    from dataclasses import replace

    found, whole = stored(lookup=lambda name: replace(resolve(name), rate_per_s=150e12))
    (change,) = found.changes
    assert change.key == "device air"
    assert change.after == "1.5e+14/s, 3050 W"
    assert change.net_usd == pytest.approx(whole, rel=1e-12)


def test_an_hourly_file_is_compared_by_its_content_and_named(stored, tmp_path, small_site_file, resolve):
    first = datetime(2026, 1, 1, tzinfo=UTC)

    def write(price):
        rows = [f"{(first + timedelta(hours=h)).isoformat()},{price}" for h in range(8760)]
        (tmp_path / "prices.csv").write_text("\n".join(["time,usd", *rows]), encoding="utf-8")

    write(45)
    hourly = ("energy_usd_per_mwh = 40", "hourly = {file = 'prices.csv', column = 'usd'}")
    found, whole = stored(hourly)
    assert [change.key for change in found.changes] == ["price.energy_usd_per_mwh and price.hourly"]
    assert found.changes[0].after == "nothing; prices.csv, column usd"
    assert found.changes[0].net_usd == pytest.approx(whole, rel=1e-12)
    ((inputs, site),) = read_inputs(small_site_file, resolve)
    write_package(tmp_path / "again", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    assert changes_since(tmp_path / "again", [inputs]).changes == ()
    write(50)
    ((inputs, after),) = read_inputs(small_site_file, resolve)
    (change,) = changes_since(tmp_path / "again", [inputs]).changes
    assert change.key == "price.hourly"
    assert re.fullmatch(r"prices\.csv, column usd \(sha256 \w{8}\)", change.before)
    assert re.fullmatch(r"prices\.csv, column usd, content changed \(sha256 \w{8}\)", change.after)
    assert change.net_usd == pytest.approx(site_year(after).net_usd - site_year(site).net_usd, rel=1e-12)


def test_a_changed_file_is_seen_in_a_folder_with_a_long_name(tmp_path, small_site_file, resolve):
    folder = tmp_path / ("a folder with a long name " * 8)
    folder.mkdir()
    path = small_site_file.rename(folder / "small.toml")
    text = path.read_text(encoding="utf-8").replace('name = "Small"', 'name = "Small"\nregion = "here"')
    path.write_text(f"{text}\n[carbon]\ntable = {str(folder / 'grid.csv')!r}\n", encoding="utf-8")

    def inputs(kg):
        (folder / "grid.csv").write_text(f"region,kg_per_mwh,source,date\nhere,{kg},a book,2026\n", encoding="utf-8")
        return read_inputs(path, resolve)[0]

    before, site = inputs(400)
    write_package(tmp_path / "run", [site_year(site, hourly=True)], [before], version="test", sam=False)
    assert len(changes_since(tmp_path / "run", [inputs(300)[0]]).changes) == 1


def test_a_carbon_table_is_compared_by_its_content_and_named(tmp_path, small_site_file, resolve):
    table = tmp_path / "grid.csv"

    def write(kg):
        table.write_text(f"region,kg_per_mwh,source,date\nhere,{kg},a book,2026\n", encoding="utf-8")
        return read_inputs(small_site_file, resolve)[0]

    text = small_site_file.read_text(encoding="utf-8").replace('name = "Small"', 'name = "Small"\nregion = "here"')
    assert "[carbon]" not in text
    small_site_file.write_text(f"{text}\n[carbon]\ntable = 'grid.csv'\n", encoding="utf-8")
    inputs, site = write(400)
    write_package(tmp_path / "run", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    assert changes_since(tmp_path / "run", [inputs]).changes == ()
    (change,) = changes_since(tmp_path / "run", [write(300)[0]]).changes
    assert change.key == "carbon.table"
    assert change.before.startswith("grid.csv (sha256 ")
    assert change.after.startswith("grid.csv, content changed (sha256 ")


def test_a_site_of_another_name_is_added_and_the_old_one_gone(stored):
    found, _ = stored(('name = "Small"', 'name = "Smaller"'))
    assert (found.changes, found.added, found.removed) == ((), ("Smaller",), ("Small",))


def test_what_no_input_explains_is_the_programs_or_the_datas(stored, tmp_path):
    path = tmp_path / "run" / "tables" / "site.parquet"
    table = pq.read_table(path)
    (net_usd,) = table["net_usd"].to_pylist()
    index = table.column_names.index("net_usd")
    pq.write_table(table.set_column(index, "net_usd", pa.array([net_usd - 1000.0])), path)
    (change,) = stored()[0].changes
    assert change.key == PROGRAM
    assert change.net_usd == pytest.approx(1000.0)


def test_a_folder_that_is_no_run_is_refused(small_site_file, resolve, tmp_path):
    ((inputs, _),) = read_inputs(small_site_file, resolve)
    with pytest.raises(InputError, match="expected a folder written by perwatt yield --out"):
        changes_since(tmp_path, [inputs])

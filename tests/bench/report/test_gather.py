"""What a page is made from: names sorted into results and sites, faulty records kept as what they are."""

import pytest

from bench.report import gather
from hardware_profiles.errors import InputError


def test_without_a_name_the_whole_store_and_the_example_site_are_taken(full_store):
    gathered = gather([], full_store)
    assert len(gathered.results) == 10
    assert len(gathered.valid) == 8
    assert len(gathered.unreadable) == 4
    assert gathered.unfinished == 1
    assert [year.site.name for year in gathered.sites] == ["Georgia 50 MW, two GPU modules"]


def test_an_empty_store_still_gives_catalogue_and_site(tmp_path):
    gathered = gather([], tmp_path / "nowhere")
    assert gathered.results == ()
    assert gathered.catalogue
    assert gathered.sites


def test_a_result_is_named_by_id_by_its_beginning_by_folder_or_as_the_latest(put):
    folder = put(0)
    put(1, workload="matmul_f32_cpu", unit="flop")
    for name in (folder.name, folder.name[:16], str(folder), "latest:sha256d_scan_cpu"):
        assert [stored.record.id for stored in gather([name], put.store).results] == [folder.name]


def test_a_folder_of_results_is_taken_whole_and_a_result_named_twice_once(put, tmp_path):
    folder = put(0)
    put(1)
    gathered = gather([str(put.store), str(folder)], tmp_path)
    assert len(gathered.results) == 2


def test_a_site_alone_does_not_leave_the_results_out(put):
    put(0)
    gathered = gather(["georgia-50mw-mining"], put.store)
    assert len(gathered.results) == 1
    assert len(gathered.sites) == 1


def test_an_older_schema_says_what_it_is_and_enters_no_figure(full_store):
    old = next(record for record in gather([], full_store).unreadable if record.schema_version == "0")
    assert "schema_version" in old.reason
    assert old.status == "ok"
    assert old.started.startswith("2026-03-04")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("20990101", "expected a known id, got '20990101'"),
        ("georgia-50mw-gpu-moduless", "or the site georgia-50mw-gpu-modules"),
        ("nowhere.toml", "nowhere.toml"),
    ],
)
def test_an_unknown_name_is_refused_on_one_line_with_the_near_ones(put, name, says):
    put(0)
    with pytest.raises(InputError) as fault:
        gather([name], put.store)
    assert says in str(fault.value)
    assert "\n" not in str(fault.value)

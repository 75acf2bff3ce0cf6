"""One file a day, in a folder or in an archive, is one series, and files that do not belong together are refused."""

import io
import zipfile

import pytest
from doubles.feeds.america import ercot, nyiso
from doubles.feeds.reading import differences, read_text
from doubles.feeds.truth import steps, time_s

from hardware_profiles.errors import InputError
from sites.feeds.flags import flags
from sites.feeds.read import read_feed

DAYS = [time_s(nyiso.ZONE, 2025, 11, day) for day in range(1, 5)]  # the second one has 25 hours
TEXTS = {f"2025110{at + 1}damlbmp_zone.csv": nyiso.hourly(steps(*DAYS[at : at + 2])) for at in range(3)}
WEST = {"point": "CAPITL"}


def written(folder, texts):
    """Return the paths of files with these texts."""
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def zipped(texts):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return data.getvalue()


def refusal(paths, choices=None):
    with pytest.raises(InputError) as caught:
        read_feed(paths, choices)
    return str(caught.value)


def test_a_file_a_day_is_one_series(tmp_path):
    paths = written(tmp_path, TEXTS)
    feed = read_feed(paths[::-1], WEST)
    assert feed.paths == tuple(paths[::-1])
    assert (len(feed.intervals.values), feed.intervals.missing) == (73, 0)
    assert not differences(feed, DAYS[0], DAYS[3])


def test_the_files_of_an_archive_are_one_series(tmp_path):
    feed = read_text(tmp_path, zipped({"__MACOSX/._a": "x", **TEXTS}), WEST, name="20251101damlbmp_zone_csv.zip")
    assert not differences(feed, DAYS[0], DAYS[3])


@pytest.mark.parametrize("packed", [False, True])
def test_a_day_without_the_chosen_point_is_a_flag(tmp_path, packed):
    names = list(TEXTS)
    texts = {**TEXTS, names[1]: nyiso.hourly(steps(*DAYS[1:3]), (("WEST", 61752),))}
    (tmp_path / "days.zip").write_bytes(zipped(texts))
    feed = read_feed([tmp_path / "days.zip"] if packed else written(tmp_path, texts), WEST)
    assert feed.intervals.missing == 25
    place = f"days.zip: '{names[1]}'" if packed else names[1]
    (flag,) = flags(feed)
    assert flag.startswith("1 of 3 files have no row of 'CAPITL, hourly'; the first is ")
    assert place.replace("'", "") in flag.replace("'", "")
    assert flags(read_feed(written(tmp_path, TEXTS), WEST)) == ()


def test_an_archive_and_a_file_are_one_series(tmp_path):
    names = list(TEXTS)
    (tmp_path / "a.zip").write_bytes(zipped({name: TEXTS[name] for name in names[:2]}))
    paths = [tmp_path / "a.zip", *written(tmp_path, {names[2]: TEXTS[names[2]]})]
    assert not differences(read_feed(paths, WEST), DAYS[0], DAYS[3])


def test_a_file_that_is_given_twice_doubles_its_intervals(tmp_path):
    paths = written(tmp_path, TEXTS)
    assert read_feed([*paths, paths[0]], WEST).intervals.doubled == 24


def test_a_file_of_another_layout_is_refused_by_name(tmp_path):
    paths = written(tmp_path, {"a.csv": TEXTS["20251101damlbmp_zone.csv"], "b.csv": ercot.day_ahead(steps(*DAYS[:2]))})
    assert refusal(paths, WEST) == f"{paths[1]}: expected the columns of nyiso, got those of ercot-dam"
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"a.csv": TEXTS["20251101damlbmp_zone.csv"], "b.csv": "Notes\n"}))
    assert refusal(archive, WEST).startswith(f"{archive}: 'b.csv': expected the columns of nyiso, got 'Notes'")


def test_a_faulty_cell_names_its_file(tmp_path):
    text = TEXTS["20251102damlbmp_zone.csv"].replace("11/02/2025 03:00,CAPITL", "11/02/2025 33:00,CAPITL")
    paths = written(tmp_path, {**TEXTS, "20251102damlbmp_zone.csv": text})
    message = "line 10: Time Stamp: expected a time of day from 00:00 to 24:00, got '33:00'"
    assert refusal(paths, WEST) == f"{paths[1]}: {message}"


def test_a_point_of_one_file_only_has_to_be_chosen(tmp_path):
    first = nyiso.hourly(steps(*DAYS[:2]), nyiso.NAMES[:1])
    second = nyiso.hourly(steps(*DAYS[1:3]), nyiso.NAMES[1:])
    paths = written(tmp_path, {"a.csv": first, "b.csv": second})
    assert refusal(paths) == (
        f"{paths[0]} and 1 more: expected one point, got 2: CAPITL, WEST (choose with point=NAME)"
    )


def test_days_that_overlap_with_other_prices_are_refused(tmp_path):
    other = nyiso.hourly(steps(DAYS[0] + 86400, DAYS[1] + 86400)).replace("11/02/2025", "11/01/2025")
    paths = written(tmp_path, {"a.csv": TEXTS["20251101damlbmp_zone.csv"], "b.csv": other})
    message = refusal(paths, WEST)
    assert message.startswith(f"{paths[0]} and 1 more: expected one value of the interval from 2025-11-01T0")

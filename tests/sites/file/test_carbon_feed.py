"""`[carbon] mean` takes the mean of a carbon feed, and only with its four facts stated."""

import numpy as np
import pytest
from doubles.feeds.america import pjm
from doubles.feeds.others import carbon
from doubles.feeds.truth import HOUR_S, steps, year

from hardware_profiles.errors import InputError
from sites.changes import changes_since
from sites.dispatch.year import site_year
from sites.file.build import load_site
from sites.file.inputs import read_inputs
from sites.planners.package import write_package

YEAR = year("UTC", 2026)
EXPORT = carbon.electricity_maps(*YEAR)
FACTS = {"feed": "electricity-maps", "basis": "average", "scope": "life-cycle", "unit": "gCO2eq/kWh"}
POUNDS = {"feed": "watttime", "basis": "marginal", "scope": "direct", "unit": "lbCO2/MWh"}


@pytest.fixture
def small(tmp_path, small_site_file):
    """Write the small site in UTC with a carbon file; return its path."""

    def write(text, **facts):
        (tmp_path / "grid.csv").write_text(text, encoding="utf-8")
        keys = ", ".join(f'{key} = "{fact}"' for key, fact in ({"file": "grid.csv"} | facts).items() if fact)
        site = small_site_file.read_text(encoding="utf-8").split("[carbon]")[0]
        small_site_file.write_text(f"{site}\n[carbon]\nmean = {{ {keys} }}\n", encoding="utf-8")
        return small_site_file

    return write


def mean_of(function):
    return np.mean([function(at_s) for at_s in range(*YEAR, HOUR_S)])


def test_the_mean_of_the_chosen_scope_is_the_intensity_in_kg(small, resolve):
    life_cycle = load_site(small(EXPORT, **FACTS), resolve)
    assert life_cycle.kg_per_mwh == pytest.approx(mean_of(carbon.life_cycle), rel=1e-12)
    direct = load_site(small(EXPORT, **FACTS | {"scope": "direct"}), resolve)
    assert direct.kg_per_mwh == pytest.approx(mean_of(carbon.direct), rel=1e-12)


def test_pounds_that_are_stated_become_kilograms(small, resolve):
    site = load_site(small(carbon.watttime(*YEAR), **POUNDS), resolve)
    assert site.kg_per_mwh == pytest.approx(0.45359237 * mean_of(carbon.marginal_lb), rel=1e-12)


def test_a_note_names_the_facts_and_the_hours_without_a_value(small, resolve):
    half = carbon.electricity_maps(YEAR[0], YEAR[0] + 4000 * HOUR_S)
    site = load_site(small(half, **FACTS), resolve)
    (note,) = [note for note in site.notes if "carbon" in note]
    assert note.startswith("grid.csv: carbon is the plain mean of the 4,000 of 8,760 hours that have a value: ")
    assert note.endswith(" kg/MWh, average, life-cycle, zone SE")


@pytest.mark.parametrize(
    ("text", "facts", "message"),
    [
        (EXPORT, FACTS | {"basis": None}, "key carbon.mean.basis: expected a value .the key is required., got nothing"),
        (EXPORT, FACTS | {"scope": None}, "key carbon.mean.scope: expected a value .the key is required., got nothing"),
        (EXPORT, FACTS | {"unit": None}, "key carbon.mean.unit: expected a value .the key is required., got nothing"),
        (EXPORT, FACTS | {"unit": "kg/MWh"}, "key carbon.mean.unit: expected .*gCO2eq/kWh.*, got 'kg/MWh'"),
        (EXPORT, FACTS | {"unit": "lbCO2/MWh"}, "expected the unit lbCO2/MWh that .carbon.mean. states, got 'gCO2eq/"),
        (EXPORT, FACTS | {"basis": "marginal"}, "expected a basis that the file has, got 'marginal'"),
        (EXPORT, FACTS | {"zone": "NO"}, "expected a zone that the file has, got 'NO' .did you mean SE"),
        (EXPORT, FACTS | {"feed": "pjm-da"}, "expected a feed of carbon intensities, got pjm-da: PJM day-ahead"),
        (EXPORT, FACTS | {"feed": "watttme"}, "expected a feed that `perwatt feed list` shows, got 'watttme' .did you"),
        (pjm.text(pjm.DAY_AHEAD, steps(YEAR[0], YEAR[0] + 7200)), FACTS,
         "expected the columns of electricity-maps, got those of pjm-da"),
        (carbon.electricity_maps(YEAR[1], YEAR[1] + 48 * HOUR_S), FACTS, "expected intensities of the year from 2026"),
        (carbon.watttime(*YEAR), FACTS, "expected the JSON of electricity-maps, got that of watttime"),
        (EXPORT.replace(",99.42", "e3,99.42"), FACTS, "expected a mean of 0 to 10,000 kg/MWh, got"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(small, resolve, text, facts, message):
    with pytest.raises(InputError, match=message):
        load_site(small(text, **facts), resolve)


def test_another_content_of_the_file_is_a_change_of_the_site(small, resolve, tmp_path):
    ((inputs, site),) = read_inputs(small(EXPORT, **FACTS), resolve)
    write_package(tmp_path / "run", [site_year(site, hourly=True)], [inputs], version="test", sam=False)
    assert changes_since(tmp_path / "run", [inputs]).changes == ()
    ((inputs, _),) = read_inputs(small(EXPORT.replace(",413.3,", ",413.4,"), **FACTS), resolve)
    (change,) = changes_since(tmp_path / "run", [inputs]).changes
    assert change.key == "carbon.mean"
    told = "grid.csv, feed electricity-maps, basis average, scope life-cycle, content changed (sha256 "
    assert change.after.startswith(told)

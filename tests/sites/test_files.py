"""Files of sites whose names look alike as file names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites import api
from sites.files import slug, slugs


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["東京", "大阪"], ["site", "site-2"]),
        (["A", "A!", "A 0"], ["a", "a-2", "a-0"]),
        (["A", "A!", "A 2"], ["a", "a-3", "a-2"]),
        (["x" * 300, "x" * 301], ["x" * 80, "x" * 80 + "-2"]),
    ],
)
def test_no_two_sites_share_a_file_name(names, wanted):
    assert slugs(names) == wanted


@given(st.lists(st.text("aA!-012 ", max_size=4), max_size=12))
def test_slugs_are_unique_whatever_the_names(names):
    found = slugs(names)
    assert len(set(found)) == len(names)
    assert all(one.startswith(slug(name)) for one, name in zip(found, names, strict=True))


def test_plots_and_folder_of_look_alike_sites_are_kept_apart(small_site_file, resolve, tmp_path):
    text = small_site_file.read_text(encoding="utf-8")
    given_sites = []
    for number, name in enumerate(("東京", "大阪")):
        path = tmp_path / f"{number}.toml"
        path.write_text(text.replace('"Small"', f'"{name}"'), encoding="utf-8")
        given_sites += api.read(path, resolve)
    years = [api.run(site) for _, site in given_sites]
    api.write(tmp_path / "out", years, [inputs for inputs, _ in given_sites])
    assert {path.name for path in (tmp_path / "out" / "pypsa").iterdir()} == {"site", "site-2"}
    assert {path.stem for path in (tmp_path / "out" / "sam").iterdir()} == {"site", "site-2"}
    plots = api.plot(years, tmp_path / "plots")
    assert len(set(plots)) == len(list((tmp_path / "plots").iterdir())) == 6

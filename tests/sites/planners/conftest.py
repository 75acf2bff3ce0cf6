"""The folder that the planners' tests read."""

import pytest

from sites.dispatch.year import site_year
from sites.file.inputs import read_inputs
from sites.planners.package import write_package


@pytest.fixture(scope="session")
def run(tmp_path_factory, full_site_text, devices):
    """A run of the full site: its folder, its year, its notes."""
    folder = tmp_path_factory.mktemp("run")
    path = folder / "everything.toml"
    path.write_text(full_site_text, encoding="utf-8")
    ((inputs, site),) = read_inputs(path, devices)
    year = site_year(site, hourly=True)
    notes = write_package(folder / "out", [year], [inputs], version="test")
    return folder / "out", year, notes

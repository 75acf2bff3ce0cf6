"""A plug on loopback, and a fake powercap tree."""

import math

import pytest
from doubles.plug import FakePlug


@pytest.fixture
def plug(clock):
    made = []

    def make(kind="shelly", curve=lambda t: 100.0 + 10.0 * math.sin(t)):
        made.append(FakePlug(clock, kind, curve))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def powercap(tmp_path):
    """A fake powercap tree whose energies a test writes."""

    class Tree:
        root = tmp_path / "powercap"

        def zone(self, folder, name, energy_j=0.0, range_j=262143.32885):
            path = self.root / folder
            path.mkdir(parents=True)
            (path / "name").write_text(name + "\n")
            (path / "max_energy_range_uj").write_text(f"{round(range_j * 1e6)}\n")
            self.set(folder, energy_j)
            return path

        def set(self, folder, energy_j):
            (self.root / folder / "energy_uj").write_text(f"{round(energy_j * 1e6)}\n")

    Tree.root.mkdir()
    return Tree()

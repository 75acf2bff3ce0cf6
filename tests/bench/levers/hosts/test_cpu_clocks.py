"""The highest clock of the cores, in a folder like that of the kernel."""

import pytest

from bench.levers.hosts.cpu_clocks import CpuClocks
from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from hardware_profiles.errors import InputError
from sites.control.model import UnitState


@pytest.fixture
def policies(tmp_path):
    """Return the folder of two policies with different ranges."""
    for name, highest in (("policy0", 5_200_000), ("policy8", 3_900_000)):
        folder = tmp_path / name
        folder.mkdir()
        for key, khz in (("cpuinfo_min_freq", 800_000), ("cpuinfo_max_freq", highest), ("scaling_max_freq", highest)):
            (folder / key).write_text(f"{khz}\n")
    return tmp_path


def clocks(policies):
    return [int((policies / name / "scaling_max_freq").read_text()) for name in ("policy0", "policy8")]


def test_a_clock_is_set_on_all_cores_within_their_ranges_and_brought_back(held, policies):
    cpu = held(CpuClocks(policies))
    before = cpu.as_found()
    assert cpu.to("2000MHz").reply is Reply.ACCEPTED
    assert clocks(policies) == [2_000_000, 2_000_000]
    assert cpu.shows("2000MHz") is Evidence.CONFIRMED
    assert cpu.restore(before).reply is Reply.ACCEPTED
    assert clocks(policies) == [5_200_000, 3_900_000]
    assert cpu.as_found() == before
    assert cpu.lever.can("4500MHz") == "unknown_level: expected 800MHz to 3900MHz, got 4500MHz"


def test_a_machine_without_clocks_is_unknown(held, tmp_path):
    cpu = held(CpuClocks(tmp_path))
    assert cpu.look().state is UnitState.UNKNOWN
    assert cpu.as_found() is None
    assert cpu.to("2000MHz").reply is Reply.REFUSED


def test_a_clock_that_cannot_be_read_is_unknown(held, policies):
    (policies / "policy8" / "scaling_max_freq").write_text("<unsupported>")
    assert held(CpuClocks(policies)).look().reasons == ("read_failed",)


def test_another_machine_is_refused():
    with pytest.raises(InputError, match="local"):
        open_lever("cpu_clocks", "other-host")

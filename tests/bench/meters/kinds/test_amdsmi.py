"""AMD's energy accumulator: counted in the step that the card states, and refused where it does not count."""

import sys
from types import ModuleType

import pytest
from doubles.system.sysfs import SysTree

from bench.meters.errors import MeterError
from bench.meters.kinds import amdsmi
from bench.meters.kinds.amdsmi import AmdSmi
from bench.meters.registry import entry
from bench.meters.system_files import system_root

# ruff: noqa: ARG001 (a fixture is asked for what it puts in place)

ADDRESSES = ["0000:03:00.0", "0000:83:00.0"]


class FakeSmi(ModuleType):
    """AMD SMI of two cards."""

    def __init__(self):
        super().__init__("amdsmi")
        self.count, self.step_uj, self.error = {0: 10**6, 1: 10**6}, 15.3, None

    def amdsmi_init(self):
        if self.error:
            raise self.error

    def amdsmi_shut_down(self):
        pass

    def amdsmi_get_processor_handles(self):
        return [0, 1]

    def amdsmi_get_gpu_device_bdf(self, handle):
        return ADDRESSES[handle]

    def amdsmi_get_energy_count(self, handle):
        return {"energy_accumulator": self.count[handle], "counter_resolution": self.step_uj, "timestamp": 1}


@pytest.fixture
def smi(monkeypatch):
    fake = FakeSmi()
    monkeypatch.setattr(amdsmi, "find_spec", lambda _: object())
    monkeypatch.setitem(sys.modules, "amdsmi", fake)
    return fake


@pytest.mark.parametrize("step_uj", [15.3, 15.259])
def test_the_energy_is_the_accumulator_times_the_cards_own_step(smi, step_uj):
    smi.step_uj = step_uj
    meter = AmdSmi(ADDRESSES[1])
    meter._info = meter.connect()
    meter.take()
    smi.count[1] += 2_000_000
    meter.take()
    assert meter.readings()[-1].value == pytest.approx(2.0 * step_uj)
    assert f"in steps of {step_uj:.6g} µJ" in meter.info.scope
    assert meter.info.domains == (f"amdsmi:{ADDRESSES[1]}",)


def test_an_accumulator_that_goes_back_or_changes_its_step_gives_no_joules(smi):
    meter = AmdSmi("0")
    meter._info = meter.connect()
    meter.take()
    smi.count[0] -= 1000
    meter.take()
    smi.step_uj = 30.0
    meter.take()
    assert [reading.codes for reading in meter.readings()] == [(), ("counter_went_back",), ("read_failed",)]
    assert meter.readings()[-1].value is None


@pytest.mark.parametrize("count", [0, 2**64 - 1])
def test_a_card_that_does_not_count_is_refused_and_the_other_is_listed(smi, count):
    smi.count[1] = count
    first, second = entry("amdsmi").find()
    assert (first.usable, second.usable, second.reason) == (True, False, "this card has no energy accumulator")
    assert "hwmon:amdgpu" in second.cure
    with pytest.raises(MeterError, match="no energy accumulator"):
        AmdSmi("1").open()


def test_a_card_that_is_not_there_names_those_that_are(smi):
    with pytest.raises(MeterError, match=r"no such AMD card.*0 \(0000:03:00\.0\), 1 \(0000:83:00\.0\)"):
        AmdSmi("7").open()


def test_a_driver_that_does_not_answer_is_one_line_with_the_cure(smi):
    smi.error = RuntimeError("Error code:\n\t31 | AMDSMI_STATUS_NOT_INIT")
    (found,) = entry("amdsmi").find()
    assert found.reason == "AMD SMI cannot be used: Error code: 31 | AMDSMI_STATUS_NOT_INIT"
    with pytest.raises(MeterError, match="NOT_INIT; use --meter hwmon:amdgpu"):
        AmdSmi("0").open()


def test_a_binding_without_its_library_prints_nothing(smi, monkeypatch, capsys):
    def broken(_):
        sys.stdout.write("Unable to find libamd_smi.so")
        raise KeyError("libamd_smi.so")

    monkeypatch.setattr(amdsmi, "import_module", broken)
    (found,) = entry("amdsmi").find()
    assert (found.usable, "libamd_smi.so is missing" in found.reason) == (False, True)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("module", [True, False])
def test_without_the_binding_only_a_machine_with_an_amd_card_says_what_is_not_read(tmp_path, monkeypatch, module):
    monkeypatch.setattr(amdsmi, "find_spec", lambda _: None)
    tree = SysTree(tmp_path)
    if module:
        (tree.root / "sys/module/amdgpu").mkdir(parents=True)
    with system_root(tree.root):
        assert [found.usable for found in entry("amdsmi").find()] == [False] * module

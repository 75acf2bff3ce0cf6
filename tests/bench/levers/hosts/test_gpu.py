"""Power limit and clocks of a GPU, on a fake driver."""

# ruff: noqa: N802, ARG002 (names and arguments are NVML's)

import pytest
from doubles.system.nvml import FakeNvml, FakeNvmlError

from bench.levers.hosts.gpu import GpuClocks, GpuPower
from bench.levers.protocol import Evidence, Reply
from bench.levers.registry import open_lever
from hardware_profiles.errors import InputError
from sites.control.model import UnitState


class SetNvml(FakeNvml):
    """A driver whose limit and clocks are set; `lies`: `no_effect`, `no_permission`, `stays_hot`."""

    def __init__(self, *, limit_mw=650_500, lies=(), persistent=1):
        super().__init__()
        self.limit_mw, self.clocks, self.lies, self.persistent = limit_mw, [2619, 1740], set(lies), persistent
        self.sets = []

    def nvmlDeviceGetPowerManagementLimit(self, handle):
        return self.limit_mw

    def nvmlDeviceGetPowerManagementLimitConstraints(self, handle):
        return [200_000, 700_000]

    def nvmlDeviceGetPowerManagementDefaultLimit(self, handle):
        return 700_000

    def nvmlDeviceSetPowerManagementLimit(self, handle, limit_mw):
        self._check()
        self.sets.append(limit_mw)
        if "no_effect" not in self.lies:
            self.limit_mw = limit_mw

    def nvmlDeviceGetPowerUsage(self, handle):
        return 690_000 if "stays_hot" in self.lies else min(self.limit_mw, 480_000)

    def nvmlDeviceGetTemperature(self, handle, kind):
        return 61

    def nvmlDeviceGetPersistenceMode(self, handle):
        return self.persistent

    def nvmlDeviceGetApplicationsClock(self, handle, kind):
        return self.clocks[0] if kind == 2 else self.clocks[1]

    def nvmlDeviceGetSupportedGraphicsClocks(self, handle, memory):
        return list(range(345, 1981, 15))

    def nvmlDeviceSetApplicationsClocks(self, handle, memory, core):
        self._check()
        self.sets.append((memory, core))
        self.clocks = [memory, core]

    def _check(self):
        if "no_permission" in self.lies:
            raise FakeNvmlError(4)


def test_a_limit_is_set_shown_and_brought_back_to_the_digit_and_not_to_the_default(held):
    nvml = SetNvml()
    gpu = held(GpuPower("0", nvml))
    before = gpu.as_found()
    assert before == {"limit_mw": 650_500}
    assert gpu.to("300W").reply is Reply.ACCEPTED
    assert gpu.shows("300W") is Evidence.CONFIRMED
    assert gpu.shows("on") is Evidence.CONTRARY
    assert gpu.restore(before).reply is Reply.ACCEPTED
    assert nvml.limit_mw == 650_500
    assert gpu.shows("on") is Evidence.CONFIRMED
    assert gpu.restore(before).reply is Reply.ACCEPTED
    assert nvml.sets == [300_000, 650_500], "nothing is set twice"


def test_levels_lie_within_the_range_of_the_board_and_up_to_its_default(held):
    gpu = held(GpuPower("0", SetNvml()))
    assert gpu.lever.levels == ()
    gpu.look()
    names = [level.name for level in gpu.lever.levels]
    assert (names[0], names[-1], len(names)) == ("200W", "700W", 8)
    assert gpu.lever.can("450W") is None
    assert gpu.lever.can("800W") == "unknown_level: expected 200W to 700W, got 800W"
    assert gpu.lever.can("off").startswith("unknown_level")
    assert gpu.to("100W").reply is Reply.REFUSED


def test_without_rights_nothing_is_set_and_the_reason_is_said(held):
    gpu = held(GpuPower("0", SetNvml(lies=["no_permission"])))
    answer = gpu.to("300W")
    assert (answer.reply, answer.says.partition(":")[0]) == (Reply.REFUSED, "no_permission")


def test_a_limit_without_effect_is_not_confirmed(held):
    gpu = held(GpuPower("0", SetNvml(lies=["no_effect"])))
    gpu.as_found()
    gpu.to("300W")
    assert gpu.shows("300W") is Evidence.CONTRARY


def test_a_board_that_draws_more_than_its_limit_is_still_on_its_way(held):
    gpu = held(GpuPower("0", SetNvml(lies=["stays_hot"])))
    gpu.as_found()
    gpu.to("300W")
    assert gpu.shows("300W") is Evidence.UNKNOWN
    assert gpu.look().reasons == ("power_off_target",)


def test_a_look_shows_identity_power_and_heat_and_that_the_setting_may_be_lost(held):
    seen = held(GpuPower("0", SetNvml(persistent=0))).look()
    assert (seen.identity, seen.power_w, seen.hottest_c, seen.reasons) == (
        "GPU-fake-0",
        480.0,
        61.0,
        ("not_persistent",),
    )


def test_clocks_are_set_with_the_memory_clock_that_is_there_and_brought_back(held):
    nvml = SetNvml()
    gpu = held(GpuClocks("0", nvml))
    before = gpu.as_found()
    assert before == {"core_mhz": 1740, "memory_mhz": 2619}
    assert gpu.to("1200MHz").reply is Reply.ACCEPTED
    assert nvml.clocks == [2619, 1200]
    assert gpu.shows("1200MHz") is Evidence.CONFIRMED
    assert gpu.to("on").reply is Reply.ACCEPTED
    gpu.restore(before)
    assert nvml.clocks == [2619, 1740]


def test_a_driver_that_does_not_answer_is_unknown(held):
    nvml = SetNvml()
    nvml.init_error = 12
    gpu = held(GpuPower("0", nvml))
    assert gpu.look().state is UnitState.UNKNOWN
    assert gpu.as_found() is None
    assert gpu.to("300W").reply is Reply.REFUSED
    assert gpu.restore({"limit_mw": 1}).reply is Reply.REFUSED
    assert gpu.restore({"limit_mw": "x"}).says.startswith("config_incomplete")


def test_what_is_no_gpu_is_refused():
    with pytest.raises(InputError, match="index"):
        open_lever("gpu_power", "gpu:0")

"""RAPL zones that repeat one counter are read once, zones that differ are summed, and a missing zone has its cause."""

import pytest
from doubles.system.sysfs import AMD, AMPERE, INTEL, SysTree

from bench.meters.errors import MeterError
from bench.meters.kinds.rapl import Rapl
from bench.meters.kinds.rapl.dies import DIFFERENT, are_one
from bench.meters.kinds.rapl.zones import POWERCAP, choose, find_zones
from bench.meters.protocol import MeterKind
from bench.meters.registry import entry, make_meter
from bench.meters.system_files import system_path, system_root


@pytest.fixture
def tree(tmp_path):
    tree = SysTree(tmp_path / "root")
    with system_root(tree.root):
        yield tree


class Socket:
    """Zones that count their own watts since the test began; a zone may repeat the counter of another."""

    def __init__(self, clock, tree):
        self.clock, self.tree, self.zones = clock, tree, []
        self.start_s = clock.monotonic()

    def add(self, key, name, watts, start_uj=5_000_000_000, range_uj=262_143_328_850):
        folder = self.tree.zone(key, name, start_uj, range_uj)
        self.zones.append((folder / "energy_uj", watts, start_uj, range_uj))

    def count(self):
        elapsed_s = self.clock.monotonic() - self.start_s
        for path, watts, start_uj, range_uj in self.zones:
            self.tree.set(path, (start_uj + round(watts * 1e6 * elapsed_s)) % range_uj)


@pytest.fixture
def socket(clock, tree):
    socket = Socket(clock, tree)
    sleep = clock.sleep

    def move(seconds):
        sleep(seconds)
        socket.count()

    clock.sleep = move
    return socket


def measured_w(meter, clock):
    """Return the mean power [W] of a meter over two seconds, and its description."""
    meter._clock = clock.monotonic
    meter._info = meter.connect()
    meter.take()
    clock.sleep(2.0)
    meter.take()
    first, *_, last = [reading for reading in meter.readings() if reading.value is not None]
    return (last.value - first.value) / (last.t_s - first.t_s), meter.info.scope


def test_dies_that_repeat_the_counter_of_their_socket_are_read_once(clock, socket):
    for die in range(4):
        socket.add(f"intel-rapl:{die}", f"package-0-die-{die}", 90.0)
    watts, scope = measured_w(Rapl(), clock)
    assert watts == pytest.approx(90.0)
    assert "package-0-die-1, package-0-die-2, package-0-die-3 repeat it and are not added" in scope


def test_dies_with_counters_of_their_own_are_summed(clock, socket):
    socket.add("intel-rapl:0", "package-0-die-0", 60.0)
    socket.add("intel-rapl:1", "package-0-die-1", 75.0, start_uj=9_000_000_000)
    watts, scope = measured_w(Rapl(), clock)
    assert watts == pytest.approx(135.0)
    assert "package-0-die-0 + package-0-die-1" in scope


def test_dies_that_start_at_one_value_by_chance_are_still_summed(clock, socket):
    socket.add("intel-rapl:0", "package-0-die-0", 60.0)
    socket.add("intel-rapl:1", "package-0-die-1", 75.0)
    assert measured_w(Rapl(), clock)[0] == pytest.approx(135.0)


def test_a_die_that_stands_still_is_not_the_twin_of_one_that_counts(clock, socket):
    socket.add("intel-rapl:0", "package-0-die-0", 60.0)
    socket.add("intel-rapl:1", "package-0-die-1", 0.0)
    assert measured_w(Rapl(), clock)[0] == pytest.approx(60.0)


def test_two_sockets_are_summed_even_where_their_values_are_equal(clock, socket):
    for package in range(2):
        socket.add(f"intel-rapl:{package}", f"package-{package}", 110.0)
    assert measured_w(Rapl(), clock)[0] == pytest.approx(220.0)


def test_each_socket_of_two_repeats_its_own_counter(clock, socket):
    for zone in range(4):
        package, die = divmod(zone, 2)
        start_uj = 5_000_000_000 + package * 1_000_000
        socket.add(f"intel-rapl:{zone}", f"package-{package}-die-{die}", 100.0 + 50.0 * package, start_uj)
    assert measured_w(Rapl(), clock)[0] == pytest.approx(250.0)


def test_a_repeated_counter_that_wraps_is_unwrapped_once(clock, socket):
    for die in range(2):
        socket.add(f"intel-rapl:{die}", f"package-0-die-{die}", 80.0, start_uj=999_900_000, range_uj=1_000_000_000)
    assert measured_w(Rapl(), clock)[0] == pytest.approx(80.0)


def test_memory_of_dies_that_repeat_one_counter_is_read_once(clock, socket):
    for die in range(2):
        socket.add(f"intel-rapl:{die}", f"package-0-die-{die}", 80.0)
        socket.add(f"intel-rapl:{die}:0", "dram", 7.0, start_uj=1_000)
    watts, scope = measured_w(Rapl("dram"), clock)
    assert watts == pytest.approx(7.0)
    assert "dram of package-0-die-1 repeats it" in scope


@pytest.mark.parametrize(("second_uj", "joules"), [(1_068_000_000, 68.0), (1_075_000_000, 143.0)])
def test_still_and_equal_counters_are_decided_when_they_move_and_lose_nothing(clock, tree, second_uj, joules):
    paths = [tree.zone(f"intel-rapl:{die}", f"package-0-die-{die}") / "energy_uj" for die in range(2)]
    meter = Rapl(clock=clock.monotonic)
    meter._info = meter.connect()
    meter.take()
    meter.take()
    assert "still and equal" in meter.info.scope
    tree.set(paths[0], 1_068_000_000)
    tree.set(paths[1], second_uj)
    clock.sleep(1.0)
    meter.take()
    assert [reading.value for reading in meter.readings()] == pytest.approx([0.0, 0.0, joules])
    assert ("repeats it" in meter.info.scope) == (joules == 68.0)


def test_one_equal_value_proves_nothing_and_snapshots_around_an_update_do_not_mislead():
    assert are_one([(7, 7)] * 50) is None
    assert are_one([(7, 7), (9, 8), (9, 9)]) is True
    assert are_one([(7, 8)] * (DIFFERENT - 1)) is None
    assert are_one([(7, 7), *[(n, n + 1) for n in range(DIFFERENT)]]) is False


def test_packages_are_named_before_the_platform_and_twins_count_once(tree):
    tree.cpu(INTEL)
    tree.zone("intel-rapl:0", "psys")
    for package in range(2):
        tree.zone(f"intel-rapl:{package + 1}", f"package-{package}")
        tree.zone(f"intel-rapl-mmio:{package}", f"package-{package}")
    assert [(meter.spec, meter.usable, meter.whole_of) for meter in entry("rapl").find()] == [
        ("rapl", True, "cpu"),
        ("rapl:psys", True, ""),
    ]
    meter = Rapl()
    assert "(package-0, package-1)" in meter.connect().scope


def test_a_mounted_copy_of_the_zones_is_read_with_its_nested_zones(tree):
    tree.zone("intel-rapl:0", "package-0", 3_000_000)
    tree.zone("intel-rapl:0:1", "dram", 1_000_000)
    for domain in ("package", "dram"):
        assert make_meter(f"rapl:{domain},root={tree.masked}").connect().kind is MeterKind.COUNTER


@pytest.mark.parametrize(
    ("kind", "flags", "signs", "reason", "cure"),
    [
        (INTEL, "sse2", "dangling", "a container hides /sys/devices/virtual/powercap", "mount it"),
        (AMD, "sse2", "tmpfs", "the zones are masked", "systempaths=unconfined"),
        (INTEL, "sse2", "container", "this container shows no zone", "modprobe intel_rapl_msr on the host; then mount"),
        (AMD, "sse2 rapl", "", "the kernel shows no zone", "modprobe intel_rapl_msr"),
        (INTEL, "sse2 hypervisor", "", "a virtual machine", "shelly:HOST"),
        (("GenuineIntel", 6, 23), "sse2", "", "no RAPL here", "shelly:HOST"),
        (AMPERE, "asimd", "container", "no RAPL here", "shelly:HOST"),
    ],
)
def test_each_cause_of_missing_zones_has_its_own_cure(tree, kind, flags, signs, reason, cure):  # noqa: PLR0917
    tree.cpu(kind, flags)
    if signs == "dangling":
        tree.zone("intel-rapl:0", "package-0")
        tree.mask_powercap()
    elif signs == "tmpfs":
        tree.masked.mkdir(parents=True)
    elif signs == "container":
        tree.container()
    (listed,) = entry("rapl").find()
    assert (listed.usable, reason in listed.reason, cure in listed.cure) == (False, True, True)
    with pytest.raises(MeterError) as refused:
        make_meter("rapl").open()
    assert reason in str(refused.value)
    assert cure in str(refused.value)


def test_a_missing_domain_names_those_that_are_there(tree):
    tree.zone("intel-rapl:0", "package-0")
    with pytest.raises(MeterError, match="no RAPL zone psys here; this machine has package-0"):
        make_meter("rapl:psys").open()


def test_cores_on_amd_are_refused_because_their_register_counts_one_core(tree):
    tree.cpu(AMD)
    tree.zone("intel-rapl:0", "package-0")
    tree.zone("intel-rapl:0:0", "core")
    assert [(meter.spec, meter.usable) for meter in entry("rapl").find()] == [("rapl", True), ("rapl:core", False)]
    with pytest.raises(MeterError, match="counts one core of each package"):
        make_meter("rapl:core").open()


def test_a_package_that_is_only_memory_mapped_is_added_and_a_twin_is_not(tree):
    tree.zone("intel-rapl:0", "package-0")
    tree.zone("intel-rapl-mmio:0", "package-0")
    tree.zone("intel-rapl-mmio:1", "package-1")
    for key in ("intel-rapl:0:0", "intel-rapl-mmio:0:0", "intel-rapl-mmio:1:0"):
        tree.zone(key, "dram")
    zones = find_zones(system_path(POWERCAP))
    assert [zone.folder.name for zone in choose(zones, "package")] == ["intel-rapl:0", "intel-rapl-mmio:1"]
    assert [zone.folder.name for zone in choose(zones, "dram")] == ["intel-rapl:0:0", "intel-rapl-mmio:1:0"]

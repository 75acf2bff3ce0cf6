"""The cores that a process may use, on trees of procfs and sysfs that the tests make."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.machine import cgroups
from bench.machine.cores import Cores, as_list, core_kinds, cores, cores_in_words
from bench.machine.sysfs import cpu_list

V2 = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 {root} /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


@pytest.fixture
def tree(tmp_path):
    """Make a root file system of these files."""

    def make(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def v2(group, files):
    base = {"proc/self/cgroup": f"0::{group}\n", "proc/self/mountinfo": V2}
    return base | {f"sys/fs/cgroup/{name}": text for name, text in files.items()}


def v1(group, files, root="/"):
    own = f"12:cpuset:{group}\n5:cpu,cpuacct:{group}\n1:name=systemd:/x\n0::/\n"
    base = {"proc/self/cgroup": own, "proc/self/mountinfo": V1.format(root=root)}
    return base | {f"sys/fs/cgroup/{name}": text for name, text in files.items()}


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        (v2("/a/b", {"a/b/cpu.max": "150000 100000\n", "a/cpu.max": "max 100000\n"}), (1.5, "/sys/fs/cgroup/a/b")),
        (v2("/a/b", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "25000 50000\n"}), (0.5, "/sys/fs/cgroup/a")),
        (v2("/a/b", {"a/b/cpu.max": "800000 100000\n", "a/cpu.max": "50000 100000\n"}), (0.5, "/sys/fs/cgroup/a")),
        (v2("/a/b", {"a/b/cpu.max": "max 100000\n"}), None),
        (v2("/", {"cpu.max": "20000 100000\n"}), (0.2, "/sys/fs/cgroup")),  # a container with a namespace of its own
        (v2("/docker/77", {"cpu.max": "20000 100000\n"}), (0.2, "/sys/fs/cgroup")),  # one whose path is the host's
        (v2("/../../77", {"cpu.max": "20000 100000\n"}), (0.2, "/sys/fs/cgroup")),
        (v2("/a", {"a/cpu.max": "rubbish\n"}), None),
        (v1("/x", {"cpu,cpuacct/x/cpu.cfs_quota_us": "60000\n", "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n"}),
         (0.6, "/sys/fs/cgroup/cpu,cpuacct/x")),
        (v1("/x", {"cpu,cpuacct/x/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n"}), None),
        (v1("/docker/7", {"cpu,cpuacct/cpu.cfs_quota_us": "300000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            "/docker/7"), (3.0, "/sys/fs/cgroup/cpu,cpuacct")),
        ({}, None),
        ({"proc/self/cgroup": "rubbish\n", "proc/self/mountinfo": "1 2 3\n"}, None),
    ],
)  # fmt: skip
def test_the_tightest_quota_of_the_group_and_its_parents_counts(files, quota, tree):
    found = cgroups.quota(tree(files))
    assert (None if found is None else (found.cores, found.group)) == quota


def test_throttling_is_read_in_the_units_of_both_versions(tree):
    stat = "usage_usec 9\nnr_periods 40\nnr_throttled 12\nthrottled_usec 1200000\n"
    root = tree(v2("/a", {"a/cpu.stat": stat}))
    assert cgroups.throttling(root)["/sys/fs/cgroup/a"] == cgroups.Throttling(40, 12, 1.2)
    stat = "nr_periods 40\nnr_throttled 12\nthrottled_time 1200000000\n"
    root = tree({f"v1/{name}": text for name, text in v1("/a", {"cpu,cpuacct/a/cpu.stat": stat}).items()}) / "v1"
    now = cgroups.throttling(root)["/sys/fs/cgroup/cpu,cpuacct/a"]
    assert now == cgroups.Throttling(40, 12, 1.2)
    assert now.since(cgroups.Throttling(30, 10, 0.2)) == cgroups.Throttling(10, 2, 1.0)


def test_the_throttling_of_a_parent_that_a_container_hides_counts(tree):
    root = tree(v2("/", {"cpu.stat": "usage_usec 9\n", "cpu.stat.local": "throttled_usec 700000\n"}))
    assert cgroups.throttling(root) == {"/sys/fs/cgroup": cgroups.Throttling(0, 0, 0.7)}


CPUS = {"sys/devices/system/cpu/online": "0-5\n", "sys/devices/system/cpu/present": "0-7\n"}


def codes(found):
    return dict(found.notes())


def test_offline_cores_and_those_outside_of_the_cpuset_or_the_affinity_are_noted(tree):
    group = v2("/a/b", {"a/b/cpuset.cpus.effective": "", "a/cpuset.cpus.effective": "0-1\n"})
    found = cores(tree(CPUS | group), usable=[0, 1])
    assert (found.online, found.offline, found.limited_by) == ((0, 1, 2, 3, 4, 5), (6, 7), "cpuset")
    assert codes(found) == {"cores_limited": "2 of 6 cores, by cpuset", "cores_offline": "offline: 6-7"}
    assert cores(tree({}), usable=[1]).limited_by == "affinity"
    assert cores_in_words(found) == "2 of 6 online cores usable; limited by cpuset; offline: 6-7; threads by default: 2"


def test_a_whole_machine_has_no_note(tree):
    found = cores(tree({"sys/devices/system/cpu/online": "0-1\n", "sys/devices/system/cpu/present": "0-1\n"}), [0, 1])
    assert found.notes() == []
    assert cores_in_words(found) == "2 of 2 online cores usable; threads by default: 2"
    assert cores(Path("/nowhere"), [0, 1]).notes() == []


@pytest.mark.parametrize(("quota", "threads"), [(0.3, 1), (1.0, 1), (1.9, 1), (2.0, 2), (64.0, 4), (None, 4)])
def test_threads_by_default_are_the_whole_cores_that_the_quota_leaves(quota, threads):
    limit = None if quota is None else cgroups.Quota(quota, "/sys/fs/cgroup/a")
    found = Cores((0, 1, 2, 3), (0, 1, 2, 3), (), {}, None, limit)
    assert found.default_threads == threads
    assert ("cpu_quota" in codes(found)) == (quota is not None and quota < 4)


def test_the_kinds_of_hybrid_cores_are_named_if_several_are_used(tree):
    intel = tree({"i/sys/devices/cpu_core/cpus": "0-7\n", "i/sys/devices/cpu_atom/cpus": "8-11\n"}) / "i"
    assert core_kinds(intel) == {"performance": tuple(range(8)), "efficiency": (8, 9, 10, 11)}
    assert codes(cores(intel, range(12)))["hybrid_cores"] == "8 performance, 4 efficiency"
    assert "hybrid_cores" not in codes(cores(intel, range(8)))
    capacities = {f"a/sys/devices/system/cpu/cpu{i}/cpu_capacity": "446\n" if i < 4 else "1024\n" for i in range(6)}
    assert core_kinds(tree(capacities) / "a") == {"of capacity 446": (0, 1, 2, 3), "of capacity 1024": (4, 5)}
    alike = {f"b/sys/devices/system/cpu/cpu{i}/cpu_capacity": "1024\n" for i in range(4)}
    assert core_kinds(tree(alike) / "b") == {}
    assert core_kinds(tree({"c/sys/devices/cpu_core/cpus": "0-3\n"}) / "c") == {}


@pytest.mark.parametrize(
    ("text", "numbers"), [("0-3,8\n", [0, 1, 2, 3, 8]), ("", []), (None, []), ("5", [5]), ("x-y,-1", [])]
)
def test_lists_of_cores_are_read_and_written_as_the_kernel_does(text, numbers):
    assert cpu_list(text) == numbers
    assert cpu_list(as_list(numbers)) == numbers


def test_a_process_with_one_core_of_several_takes_one_thread_by_default():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from bench.machine.cores import default_threads; print(default_threads())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout == "1\n"

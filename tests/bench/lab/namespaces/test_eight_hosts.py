"""Eight hosts with 24 measurements: one is cut off, one loses its power, one's disk is full, one's clock is wrong.

Every measurement that was finished is collected once, every other one is named with its reason, and `resume` completes
the rest, once the causes are removed.
"""

import collections

import pytest
from doubles.namespaces.operator_machine import WORKLOADS, operator, overlapping, unsound
from faults.command import of_the_whole_suite

pytestmark = [pytest.mark.slow, of_the_whole_suite]

DOMAINS = {
    "near": "rack-a", "far": "rack-a",  # one behind a slow line
    "cut": "rack-b", "beside": "rack-b",  # in the domain of a host that disappears in mid-run
    "dark": None, "full": None, "wrong-clock": None,
    "away": "chassis",  # the cable is cut for a moment only
}  # fmt: skip
WITHIN = {"rack-a": None, "chassis": "rack-b", "rack-b": None}
RUN = ("--plan", "smoke", "--deadline-s", 30, *WORKLOADS)


@pytest.fixture
def eight(tmp_path, faketime):  # noqa: ARG001 (skips)
    with operator(
        tmp_path, DOMAINS, within=WITHIN, delays_s={"far": (0.04, 0.02), "dark": (0.005, 0.005)},
        disks_mib={"full": 4}, clocks={"wrong-clock": "+2h"},
    ) as machine:  # fmt: skip
        yield machine


def test_a_run_with_four_broken_hosts_is_completed_by_resume(eight):
    # before anything starts, the check names the two hosts that cannot measure
    check = eight.check()
    assert {name for name, host in check.items() if not host["ok"]} == {"full", "wrong-clock"}
    assert codes_of(check["full"]) == {"disk_full"}
    assert "clock_off" in codes_of(check["wrong-clock"])  # libfaketime also breaks the child that asks for the commit

    run = eight.start("lab", "run", "lab.toml", *RUN)
    break_hosts(eight, run)
    done = eight.end_of(run)
    assert done.returncode == 1, (done.stdout, done.stderr)
    is_consistent(eight)
    states = states_by_host(eight)
    assert states["near"] == states["far"] == states["beside"] == states["away"] == {"measured": 3}
    assert states["cut"]["measured"] == 0
    assert states["full"] == {"refused": 3}
    assert states["wrong-clock"] == {"refused": 3}
    codes = codes_by_host(eight)
    assert codes["full"] == {"disk_full"}
    assert codes["wrong-clock"] == {"clock_off"}
    assert codes["cut"] == {"lost", "unreachable"}
    assert codes["dark"] <= {"reboot", "unreachable", "lost"}

    # the causes are removed
    eight.lab.hosts["cut"].join()
    eight.lab.run_on("full", ["mount", "-o", "remount,size=2g", str(eight.lab.hosts["full"].folder)])
    eight.lab.set_clock("wrong-clock", "")
    done = eight.perwatt("lab", "resume")
    assert done.returncode == 0, (done.stdout, done.stderr)
    is_consistent(eight)
    assert sum(states_by_host(eight).values(), collections.Counter()) == {"measured": 24}
    # the measurement that ended while its host was cut off was not made again
    attempts = [job["attempt"] for job in eight.planned().values() if job["host"] == "cut"]
    assert attempts.count(1) == 3
    assert len(eight.collected()) == 24


def break_hosts(eight, run):
    """Break three hosts, each in the middle of a measurement."""
    hosts = eight.lab.hosts
    eight.until_it_measures("dark", run)
    hosts["dark"].kill()
    eight.lab.boot("dark")
    eight.until_it_measures("cut", run)
    hosts["cut"].cut()
    eight.until_it_measures("away", run)
    hosts["away"].cut()
    eight.until_it_does_not_measure("away", run)
    hosts["away"].join()


def is_consistent(eight):
    """Hold what holds at every moment: no overlap, no result twice, no wrong digest, each row with its reason."""
    jobs, endings = eight.planned(), eight.endings()
    assert overlapping(endings, jobs) == []
    assert unsound(eight) == []
    results = [result for ending in endings for result in ending["results"]]
    assert len(results) == len(set(results))
    assert set(results) == eight.results()
    rows = eight.coverage()["measurements"]
    assert len(rows) == 24
    assert all(row["reason"] for row in rows if row["state"] != "measured")


def codes_of(host):
    return {reason["code"] for reason in host["reasons"]}


def states_by_host(eight):
    states = collections.defaultdict(collections.Counter)
    for row in eight.coverage()["measurements"]:
        states[row["host"]][row["state"]] += 1
    return states


def codes_by_host(eight):
    codes = collections.defaultdict(set)
    for row in eight.coverage()["measurements"]:
        if row["state"] != "measured":
            codes[row["host"]].add(row["code"])
    return codes

"""What a crowded machine alone does to a test on a real clock: codes that it may cause, deadlines, a few attempts.

A test on a real clock proves what a record, a reply or a process says, not how fast this machine was meanwhile. So it
waits for an event instead of a time, and holds a code against `unexplained` instead of a set of its own.
"""

import time
from functools import partial

import pytest

LONG_S = 120.0  # [s] of a deadline that exists only so that no test hangs

RATE = frozenset({
    "unsteady", "unstable", "spread_warn",  # of windows in which the process waited for a core
    "runner_overhead",  # it waited between the calls of the workload, which counts as the runner's own time
    "not_settled",
    "foreign_load", "cpu_stolen", "cpu_throttled_by_quota",
})  # fmt: skip
METER = frozenset({"energy_missing", "too_few_samples", "sample_gap", "edge_missing", "meter_lost", "read_failed"})
LATE_CLIENT = frozenset({
    "few_requests",  # replies of the last requests are not read in time
    "server_overloaded", "server_silent",  # nor is any reply in a whole window
    "hidden_cap",  # the next request of a slot is sent late, so that the server works on fewer
    "endpoint_shared", "token_mismatch", "no_server_counters",  # the server's page is read late, or not in time
    "schedule_late", "over_saturated",
})  # fmt: skip
"""Codes that a client of an endpoint may cause once the record says that it was too slow."""
LATE = frozenset({"client_bound"})
CROWDED = (RATE | METER | LATE_CLIENT | LATE) - {"few_requests"}
"""Signs of a crowded machine in a record; short windows alone have few requests."""


def unexplained(codes):
    """Return the codes of a record that a crowded machine does not explain."""
    late = LATE_CLIENT if "client_bound" in codes else {"few_requests"}
    return set(codes) - RATE - METER - late - {"client_bound"}


def skip_where(codes, signs=CROWDED):
    """Skip the figures of a run, which come last in a test, where its codes give one of these signs."""
    if seen := signs & set(codes):
        pytest.skip(f"crowded machine ({', '.join(sorted(seen))}): the run promises no figures")


def lengthen(monkeypatch):
    """Give every exchange over the network two minutes more than its code allows."""
    from bench.miners import link, reader, wire
    from bench.network import http, limited, tcp
    from bench.stratum.simulator import client

    real = tcp.left_s
    for module in (http, limited, tcp, wire):
        monkeypatch.setattr(module, "left_s", lambda deadline: real(deadline + LONG_S))
    monkeypatch.setattr(reader, "Link", partial(link.Link, poll_s=LONG_S))
    monkeypatch.setattr(client, "CONNECT_S", LONG_S)


def until(condition, check=lambda: None, limit_s=LONG_S):
    """Wait until a condition holds; `check` raises where it cannot come any more."""
    end_s = time.monotonic() + limit_s
    while not condition():
        check()
        assert time.monotonic() < end_s, "the condition did not come"
        time.sleep(0.01)


def in_one_of(attempts, trial):
    """Return the result of the first of a few trials that neither fails nor skips; the last one's outcome is raised.

    For a promise about real time, which a process keeps unless it waits for a core at the wrong moment.
    """
    for _ in range(attempts - 1):
        try:
            return trial()
        except (AssertionError, pytest.skip.Exception):
            pass
    return trial()

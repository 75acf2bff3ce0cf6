"""Forty hosts with a thousand results are collected in little time and flat memory."""

import os
import re
import time
from pathlib import Path

import pytest
from doubles.lab.folder_hosts import FolderReach, book_of, finish, job, machine

from bench.lab.collect.hosts import collect
from bench.results.labs.coverage import coverage
from bench.results.layout import result_names


@pytest.mark.slow
def test_forty_hosts_with_a_thousand_results_are_collected_in_a_minute_with_300_mb(tmp_path, monkeypatch):
    hosts = [f"h{number:02d}" for number in range(40)]
    jobs = [job(host, number=number) for host in hosts for number in range(25)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # the making of the hosts is not what is timed
        for number, one in enumerate(jobs):
            finish(tmp_path / one.host, one, number=number)
        book = book_of(tmp_path / "results", jobs)
    Path("/proc/self/clear_refs").write_text("5")  # from here on, the peak is that of collecting
    before_kb = peak_kb()
    start_s = time.monotonic()
    collect(book, {host: FolderReach(host, tmp_path / host, machine(host)) for host in hosts})
    took_s, grown_kb = time.monotonic() - start_s, peak_kb() - before_kb
    assert coverage(book).counts == {"measured": 1000}
    assert len(result_names(book.store)) == 1000
    assert took_s < 60
    assert grown_kb < 200_000


def peak_kb():
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

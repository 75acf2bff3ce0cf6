"""Forty hosts are collected at once, and each result stands once; test_speed.py has the time and memory of more."""

import pytest
from doubles.lab.folder_hosts import FolderReach, book_of, finish, job, machine

from bench.lab.collect.hosts import collect
from bench.results.labs.coverage import coverage
from bench.results.layout import result_names


@pytest.mark.slow
def test_every_result_of_forty_hosts_is_collected_once(tmp_path):
    hosts = [f"h{number:02d}" for number in range(40)]
    jobs = [job(host, number=number) for host in hosts for number in range(3)]
    for number, one in enumerate(jobs):
        finish(tmp_path / one.host, one, number=number)
    book = book_of(tmp_path / "results", jobs)
    collect(book, {host: FolderReach(host, tmp_path / host, machine(host)) for host in hosts})
    assert coverage(book).counts == {"measured": 120}
    assert len(result_names(book.store)) == 120

"""The log of a meter on a real host of this machine: kept there by a keeper, ended by a word, and collected whole."""

import secrets
import time
from datetime import UTC, datetime

import pytest
from doubles.lab.hosts import lab_of
from doubles.plug import FakePlug

from bench.lab.errors import HostError
from bench.lab.host.identity import code_version
from bench.lab.host.layout import METER_FILE
from bench.lab.meters.logs import collect_logs
from bench.lab.meters.session import SharedMeters
from bench.lab.reach.choose import reach_of
from bench.measure.joining.recorded import read_recorded
from bench.meters.logs.read import read_log
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from bench.results.labs.plan import Job, JobParts, LabPlan

WAIT_S = 60.0


@pytest.fixture
def plug():
    plug = FakePlug(time, curve=lambda t: 200.0 + t % 7.0)
    yield plug
    plug.close()


@pytest.fixture
def run(tmp_path, plug, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", str(tmp_path / "locks"))
    text = f"""
[lab]
name = "bench lab"

[[host]]
name = "reader"
reach = "local"
folder = "{tmp_path}/reader"

[[host]]
name = "node"
reach = "local"
folder = "{tmp_path}/node"

[[meter]]
name = "pdu-{secrets.token_hex(4)}"
spec = "{plug.spec},period=0.05"
read_by = "reader"
covers = ["node"]
"""
    lab = lab_of(text, tmp_path / "lab.toml")
    job = Job.of(JobParts(
        run_id="run-1", host="node", host_id="", device="cpu", workload="fake", argv=("fake",), plan="smoke",
        domains=(), perwatt_version=code_version(), deadline_s=60.0,
    ))  # fmt: skip
    plan = LabPlan(run_id="run-1", lab=lab.name, created_utc=datetime.now(UTC), perwatt_version=job.perwatt_version,
                   jobs=(job,))  # fmt: skip
    (tmp_path / "results").mkdir()
    return lab, Book.create(tmp_path / "results", plan, text.encode()), job


def until(true):
    end_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_log_runs_before_the_job_and_after_it_and_is_collected_whole(run, plug):
    lab, book, job = run
    reach = reach_of(lab, lab.hosts["reader"])
    shared = SharedMeters(lab, book, reach_of)
    shared.before(job)
    log = next(one for one in book.jobs().values() if one.is_log)
    with pytest.raises(HostError) as refused:  # of one meter there is one log at a time
        reach.ask("start", {"job": log.again().model_dump(mode="json")})
    assert refused.value.code == "busy"
    from_s = time.monotonic()
    asked = plug.asked
    until(lambda: plug.asked > asked + 20)
    to_s = time.monotonic()
    collect_logs(book, lab, reach_of)  # the measurement is not collected yet
    assert not any(event.kind == "clock" and event.data["when"] == "after" for event in book.events())
    book.append("collected", job=job.id, host="node")
    collect_logs(book, lab, reach_of)  # as after a controller that was killed: the log has not been ended
    path = book.jobs_folder / log.id / METER_FILE
    described = read_recorded(path)
    times_s = [at_s - described.shift_s for at_s, _ in read_log(path).samples]
    assert described.samples == len(times_s) > 20
    assert times_s[0] < from_s
    assert times_s[-1] > to_s
    assert [row.job.id for row in coverage(book).rows] == [job.id]
    assert [event.data["when"] for event in book.events() if event.kind == "clock"] == ["before", "after"]

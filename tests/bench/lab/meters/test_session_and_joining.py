"""A meter that one host reads for others: logged around each job, joined by the clocks, and refused where in doubt."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from doubles.lab.hosts import PDU, VERSION, VirtualTime, fake_hosts, lab_of

from bench.lab.meters.joining import join_all
from bench.lab.meters.session import SharedMeters
from bench.measure.joining.recorded import RecordedLog
from bench.results.folder import read_whole
from bench.results.labs.book import Book
from bench.results.labs.coverage import coverage
from bench.results.labs.plan import Job, JobParts, LabPlan
from bench.results.record import Record
from bench.results.writing import write_record

LAB = """
[lab]
name = "georgia lab"

[[host]]
name = "gpu[01-03]"

[[miner]]
name = "s21"
address = "192.0.2.7"
from = "gpu01"

[[meter]]
name = "pdu-a"
spec = "shelly:192.0.2.9"
read_by = "gpu01"
covers = {covers}
"""
RESULT = "20260528T120000Z-fake_cpu-0001"
POWER_W, WINDOW_S, WINDOWS = 300.0, 25.0, 3


class LabRun:
    """A run of one job on gpu02, on a clock of its own."""

    def __init__(self, folder: Path, covers=("gpu[02-03]",)):
        self.store, self.time = folder / "results", VirtualTime()
        self.store.mkdir()
        self.lab = lab_of(LAB.format(covers=json.dumps(list(covers))), folder / "lab.toml")
        self.hosts = fake_hosts("gpu01", "gpu02", "gpu03")
        for off_s, host in enumerate(self.hosts.values()):
            host.time, host.monotonic_off_s = self.time, 1e5 * off_s
        self.job, self.other = self.job_on("gpu02"), self.job_on("gpu03")
        plan = LabPlan(run_id="run-1", lab="georgia lab", created_utc=datetime.now(UTC), perwatt_version=VERSION,
                       jobs=(self.job, self.other))  # fmt: skip
        self.book = Book.create(self.store, plan, b"")
        self.meters = SharedMeters(self.lab, self.book, lambda _, host: self.hosts[host.name])

    def job_on(self, host):
        return Job.of(JobParts(
            run_id="run-1", host=host, host_id="", device="cpu", workload="fake_cpu", argv=("fake_cpu",), plan="quick",
            domains=(f"host:{host}", "meter:pdu-a"), perwatt_version=VERSION, deadline_s=600.0,
        ))  # fmt: skip

    def measure(self, after=lambda: None):
        """Run the job: the log before it, the windows, the log after it, and everything collected."""
        self.started_s = self.time.now_s
        self.book.append("starting", job=self.job.id, host="gpu02")
        self.meters.before(self.job)
        self.time.advance(30.0)
        self.first_s = self.time.now_s + self.hosts["gpu02"].monotonic_off_s
        self.time.advance(WINDOWS * WINDOW_S + 30.0)
        after()
        self.meters.after(self.job)
        self.write_result()
        self.book.append("ended", job=self.job.id, host="gpu02")
        self.book.append("collected", job=self.job.id, host="gpu02", results=[RESULT])

    def write_result(self):
        windows = [
            {"index": i, "start_utc": 1_780_000_000.0, "start_s": self.first_s + WINDOW_S * i,
             "end_s": self.first_s + WINDOW_S * (i + 1), "work": 1e6, "batches": 9}
            for i in range(WINDOWS)
        ]  # fmt: skip
        record = Record.model_validate({
            "id": RESULT, "status": "ok", "system": {}, "device": {"kind": "cpu", "name": "a CPU"},
            "run": {"run_id": "r", "plan": "quick", "argv": [], "started_utc": 1_780_000_000.0,
                    "ended_utc": 1_780_000_200.0, "perwatt_version": "0", "commit": None, "lead_s": 3.0, "tail_s": 3.0},
            "workload": {"name": "fake_cpu", "version": 1, "unit": "hash", "variant": "", "verification": []},
            "windows": windows,
        })  # fmt: skip
        write_record(self.store, record, [])

    def log(self):
        return [job for job in self.book.jobs().values() if job.is_log][-1]

    def collect_log(self, boot_id="boot-1", change=""):
        """Store what the reading host logged, on its own clock."""
        folder = self.book.jobs_folder / self.log().id
        folder.mkdir(parents=True)
        own_s = self.started_s + self.hosts["gpu01"].monotonic_off_s
        shift_s = 1.78e9
        rows = [f"{own_s + shift_s + 0.2 * i:.6f},{POWER_W + i % 2 * 0.5!r}" for i in range(800)]
        text = "\n".join(("time,power_w", *rows)) + "\n"
        (folder / "meter.csv").write_text(text + change)
        described = RecordedLog(
            spec="shelly:192.0.2.9", meter=PDU.model_copy(update={"period_s": 0.2, "averaging_s": 0.2}),
            sha256=hashlib.sha256(text.encode()).hexdigest(), shift_s=shift_s, boot_id=boot_id, started_s=own_s,
            ended_s=own_s + 160.0, samples=800, missing=0,
        )  # fmt: skip
        (folder / "meter.csv.json").write_text(described.model_dump_json())
        self.book.append("collected", job=self.log().id, host="gpu01", code="cancelled")

    def join(self):
        return join_all(self.book, self.lab, ["lab", "collect"])

    def notes(self):
        return [(event.code, event.detail) for event in self.book.events() if event.kind == "note" and event.code]


@pytest.fixture
def make(tmp_path, monkeypatch):
    def run(**more):
        made = LabRun(tmp_path, **more)
        monkeypatch.setattr("bench.lab.clocks.exchange.time", made.time)
        return made

    return run


def refused_for(record, code):
    assert "energy_per_hash_rack" not in record.metrics
    assert all(energy.joules is None for window in record.windows for energy in window.energy)
    return next(reason.detail for reason in (*record.reasons, *record.warnings) if reason.code == code)


def test_a_run_behind_a_shared_meter_gets_its_joules_in_a_record_that_supersedes_the_first(make):
    run = make()
    run.measure()
    run.collect_log()
    (joined,) = run.join()
    record = read_whole(run.store / joined.record.id)
    assert record.supersedes == RESULT
    assert record.metrics["power_rack"].value == pytest.approx(POWER_W, rel=0.002)
    (used,) = record.meters_used
    assert (used.name, used.boundary, used.domains) == ("lab:pdu-a", "rack", ("pdu",))
    assert used.scope == "gpu02 and, idle, gpu03; pdu-a is read by gpu01, its log joined by the clocks"
    assert "idle_included" in {warning.code for warning in record.warnings}
    remote = record.audit["remote_meter"]
    assert (remote["read_by"], remote["covers"], remote["not_idle"]) == ("gpu01", ["gpu02", "gpu03"], None)
    assert 0.0 < remote["clocks"]["bound_s"] < 0.1
    assert run.join() == []  # once
    assert {row.job.id for row in coverage(run.book).rows} == {run.job.id, run.other.id}  # a log is no measurement
    assert run.hosts["gpu01"].stopped == [run.log().id]
    assert run.log().deadline_s > run.job.deadline_s


def test_a_meter_of_one_machine_keeps_its_boundary(make):
    run = make(covers=["gpu02"])
    run.measure()
    run.collect_log()
    (joined,) = run.join()
    assert joined.record.metrics["power_wall"].value == pytest.approx(POWER_W, rel=0.002)
    assert "idle_included" not in {warning.code for warning in joined.record.warnings}


def change_host(run, name, **changes):
    def change():
        for key, value in changes.items():
            setattr(run.hosts[name], key, value)

    return change


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"busy_s": 500.0}, "gpu03 was not idle: its CPU was busy for 46%"),
        ({"boot_id": "boot-2"}, "gpu03 was not idle: it was booted"),
        ({"gone": "unreachable"}, "gpu03 is not known to be idle: unreachable"),
    ],
)
def test_another_machine_that_was_not_surely_idle_leaves_no_joules(make, changes, words):
    run = make()
    run.measure(change_host(run, "gpu03", **changes))
    run.collect_log()
    (joined,) = run.join()
    assert words in refused_for(joined.record, "meter_shared")


def test_a_miner_behind_the_meter_is_not_taken_for_idle(make):
    run = make(covers=["gpu02", "s21"])
    run.measure()
    run.collect_log()
    (joined,) = run.join()
    assert "s21 is not known to be idle: a miner" in refused_for(joined.record, "meter_shared")


def test_another_job_behind_the_meter_at_the_same_time_leaves_no_joules(make):
    run = make()
    run.measure(lambda: run.book.append("starting", job=run.other.id, host="gpu03"))
    run.collect_log()
    (joined,) = run.join()
    assert "gpu03 measured meanwhile" in refused_for(joined.record, "meter_shared")


def test_another_job_that_was_over_before_does_no_harm(make):
    run = make()
    run.book.append("starting", job=run.other.id, host="gpu03")
    run.book.append("ended", job=run.other.id, host="gpu03")
    run.measure()
    run.collect_log()
    (joined,) = run.join()
    assert "energy_per_hash_rack" in joined.record.metrics


def test_a_reading_host_that_is_lost_before_the_second_look_leaves_no_joules(make):
    run = make()
    run.measure(change_host(run, "gpu01", gone="unreachable"))
    assert [code for code, _ in run.notes()] == ["unreachable"]
    run.collect_log()  # it came back
    (joined,) = run.join()
    assert "not looked at after the run" in refused_for(joined.record, "clock_uncertain")


def test_a_reading_host_that_is_gone_before_the_start_costs_the_joules_and_not_the_run(make):
    run = make()
    run.hosts["gpu01"].gone = "unreachable"
    run.measure()
    assert run.notes()[0] == ("unreachable", "a test says so")
    assert run.join() == []
    assert not any(job.is_log for job in run.book.jobs().values())


def test_a_log_that_is_about_to_end_does_not_cost_the_next_job_its_joules(make, monkeypatch):
    monkeypatch.setattr("bench.lab.meters.session.POLL_S", 0.001)
    run = make()
    run.hosts["gpu01"].busy_times = 2
    run.measure()
    assert run.notes() == []
    assert list(run.hosts["gpu01"].jobs) == [run.log().id]


def test_a_meter_that_another_lab_logs_costs_the_joules_and_not_the_run(make, monkeypatch):
    monkeypatch.setattr("bench.lab.meters.session.BUSY_LIMIT_S", 0.0)
    run = make()
    run.hosts["gpu01"].busy_times = 99
    run.measure()
    assert [code for code, _ in run.notes()][:1] == ["busy"]


def test_clocks_that_moved_against_each_other_leave_no_joules(make):
    run = make()
    run.measure(change_host(run, "gpu02", monotonic_off_s=1e5 + 1.0))
    run.collect_log()
    (joined,) = run.join()
    assert "their difference changed by -1 s" in refused_for(joined.record, "clock_drifted")


def test_a_log_from_another_boot_of_the_reading_host_leaves_no_joules(make):
    run = make()
    run.measure()
    run.collect_log(boot_id="boot-0")
    (joined,) = run.join()
    assert "the reading host was booted" in refused_for(joined.record, "clock_drifted")


def test_a_log_that_comes_later_is_joined_later(make):
    run = make()
    run.measure()
    (missing,) = run.join()
    assert (missing.record, missing.code) == (None, "meter_host_lost")
    run.collect_log()
    (joined,) = run.join()
    assert "energy_per_hash_rack" in joined.record.metrics


def test_a_log_that_was_changed_is_not_used(make):
    run = make()
    run.measure()
    run.collect_log(change="1780000000.0,1\n")
    (missing,) = run.join()
    assert (missing.record, missing.code) == (None, "meter_host_lost")


def test_a_job_that_is_begun_again_has_a_log_of_its_own_for_each_time(make):
    run = make()
    run.meters.before(run.job)
    first = run.log()
    run.meters.after(run.job)
    run.measure()
    assert run.log().id != first.id
    assert run.log().attempt == 2
    run.collect_log()
    (joined,) = run.join()
    assert "energy_per_hash_rack" in joined.record.metrics

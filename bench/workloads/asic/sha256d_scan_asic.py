"""The workload of an ASIC miner: `sha256d_scan_asic`, whose work is what its verified shares stand for."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.results.record import Reason
from bench.stratum.difficulty import hashes_of
from bench.stratum.events import ShareTable
from bench.stratum.thread import WorkServer
from bench.stratum.verify import ShareClass
from bench.workloads.asic.arrival import Unit, company, disconnected_s, notice_counts
from bench.workloads.asic.choice import Choice
from bench.workloads.asic.collected import Collected, work_interval
from bench.workloads.asic.evidence import evidence
from bench.workloads.asic.figures import metrics
from bench.workloads.asic.settling import Settled
from bench.workloads.asic.telemetry import Summary, Telemetry, summarise
from bench.workloads.protocol import Batch, Check, Evidence, Spans, VerificationError

WAIT_S = 0.01  # [s] length of one call of `run` for n = 1
VERIFIED_S = 0.1  # [s] a share that has arrived is verified within this time


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that was decided before the windows."""

    unit: Unit
    choice: Choice
    settled: Settled
    same_address: bool | None = None  # whether shares and firmware have one address; None without a firmware
    ambient_c: float | None = None  # [°C] stated by the user
    notes: tuple[Reason, ...] = ()  # codes that were set before the windows


class Sha256dScanAsic:
    """A miner on the network, which hashes whether it is measured or not; a call only waits.

    The unit is one double hash. Every share is credited with the mean number of hashes behind its job's difficulty.
    """

    name = "sha256d_scan_asic"
    version = 1
    unit = "hash"
    variant = "stratum_v1"
    batch_s = 1.0  # [s] length of one call of `run`

    def __init__(self, server: WorkServer, setting: Setting, telemetry: Telemetry | None = None) -> None:
        self._server, self._setting, self._telemetry = server, setting, telemetry

    def prepare(self) -> None:
        """Start reading the firmware; the miner has settled before."""
        if self._telemetry is not None:
            self._telemetry.start()

    def verify(self) -> list[Check]:
        """Verify a real block with the code that verifies shares, and see that the miner has sent valid shares."""
        from kernels.scan_cpu.selftest import known_headers
        from kernels.sha256.header import Header, nbits_to_target
        from kernels.sha256.reference import sha256d

        for known in known_headers():
            target = nbits_to_target(Header.unpack(known.header80).nbits)
            if int.from_bytes(sha256d(known.header80), "little") > target:
                raise VerificationError(f"block {known.height}: expected a hash within its target")
        sent = sum(session.valid_shares for session in self._setting.unit.sessions(self._server.sessions()))
        if not sent:
            raise VerificationError("the miner has sent no valid share so far")
        return [
            Check("known answer", f"{len(known_headers())} real blocks meet their targets"),
            Check("shares before the windows", f"{sent:,} valid"),
        ]

    def start(self) -> None:
        """Do nothing: the miner works already."""

    def run(self, n: int) -> Batch:
        """Wait `n` times 10 ms; the shares are counted later, by their arrival."""
        time.sleep(n * WAIT_S)
        return Batch(0.0)

    def stop(self) -> None:
        """Wait until every share that has arrived so far is verified."""
        time.sleep(VERIFIED_S)

    def work_between(self, start_s: float, end_s: float) -> float:
        """Return the mean number of hashes behind the valid shares that arrived between two times [s, monotonic]."""
        valid = self._shares(start_s, end_s).select(ShareClass.VALID)
        return hashes_of(float(valid.difficulty.sum()))

    def check_output(self) -> list[Check]:
        """State that every share that counts was verified when it came: there are no others."""
        return [Check("shares", "each was verified by double SHA-256 of its own header")]

    def work_interval(self, spans: Spans) -> tuple[float, float]:
        """Return the 95 % interval of the work of these windows over the work that was counted [-]."""
        return work_interval(self._collect(spans).valid.difficulty)

    def evidence(self, spans: Spans) -> Evidence:
        """Return the shares by class, the tests of them, and what the firmware showed over the same windows."""
        collected = self._collect(spans)
        part, reasons = evidence(collected)
        figures = metrics(collected, collected.rate_h_s, work_interval(collected.valid.difficulty))
        return Evidence((*self._setting.notes, *reasons), figures, part)

    def parameters(self) -> Mapping[str, object]:
        """Return difficulty, windows and what the miner was expected to do."""
        choice, settled = self._setting.choice, self._setting.settled
        return {
            "difficulty": choice.difficulty,
            "wanted_error_frac": choice.wanted_error_frac,
            "expected_rate_h_s": choice.expected_rate_h_s,
            "windows": choice.windows,
            "window_s": choice.window_s,
            "settled": settled.settled,
        }

    def close(self) -> None:
        """Stop reading the firmware."""
        if self._telemetry is not None:
            self._telemetry.stop()

    def _collect(self, spans: Spans) -> Collected:
        """Return what was collected over the windows."""
        setting, telemetry = self._setting, self._telemetry
        sessions = self._server.sessions()
        own = setting.unit.sessions(sessions)
        return Collected(
            spans=spans,
            table=_joined([self._shares(*span) for span in spans]),
            company=company(sessions, setting.unit, spans[0][0], spans[-1][1]),
            disconnected_s=sum(disconnected_s(own, *span) for span in spans),
            notices=notice_counts(self._server),
            choice=setting.choice,
            settled=setting.settled,
            firmware=Summary() if telemetry is None else summarise(telemetry.readings, spans),
            first=None if telemetry is None else telemetry.first,
            same_address=setting.same_address,
            failures=0 if telemetry is None else len(telemetry.failures),
            ambient_c=setting.ambient_c,
            shares_lost=self._shares_lost(spans, {session.number for session in sessions}),
        )

    def _shares_lost(self, spans: Spans, sessions: set[int]) -> bool:
        """Return whether shares of the windows were dropped, or valid ones belong to none of these connections."""
        log = self._server.shares
        if log.complete_from_s > spans[0][0]:
            return True
        valid = log.table(spans[0][0], spans[-1][1]).select(ShareClass.VALID)
        return not set(map(int, np.unique(valid.session))) <= sessions

    def _shares(self, start_s: float, end_s: float) -> ShareTable:
        return own_shares(self._server, self._setting.unit, start_s, end_s)


def own_shares(server: WorkServer, unit: Unit, start_s: float, end_s: float) -> ShareTable:
    """Return the shares of one miner that arrived between two moments [s, monotonic], of every class."""
    table = server.shares.table(start_s, end_s)
    rows = np.isin(table.session, [session.number for session in unit.sessions(server.sessions())])
    return ShareTable(*(getattr(table, name)[rows] for name in ShareTable.__dataclass_fields__))


def _joined(tables: list[ShareTable]) -> ShareTable:
    return ShareTable(
        *(np.concatenate([getattr(table, name) for table in tables]) for name in ShareTable.__dataclass_fields__)
    )

"""Everything that a run collected of one miner, for the judgement."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bench.miners.record import MinerReading
from bench.stratum.difficulty import hashes_of
from bench.stratum.events import ShareTable
from bench.stratum.statistics.rate import mixed_difficulty, poisson_interval
from bench.stratum.verify import ShareClass
from bench.workloads.asic.arrival import Company
from bench.workloads.asic.choice import Choice
from bench.workloads.asic.settling import Settled
from bench.workloads.asic.telemetry import Summary
from bench.workloads.protocol import Spans

_CLASSES = tuple(ShareClass)


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that a run collected of one miner."""

    spans: Spans  # [s, monotonic] of arrivals
    table: ShareTable  # all shares of the miner in the windows, of every class
    company: Company
    disconnected_s: float  # [s] of the windows
    notices: dict[str, int]
    choice: Choice
    settled: Settled
    firmware: Summary
    first: MinerReading | None  # the reading that identified the miner
    same_address: bool | None  # whether shares and firmware have one address; None without a firmware
    failures: int = 0  # readings of the firmware that failed
    ambient_c: float | None = None  # [°C] stated by the user
    shares_lost: bool = False  # whether shares of the windows, or the connections that sent them, were dropped

    @property
    def duration_s(self) -> float:
        """Length of all windows together [s]."""
        return sum(end - start for start, end in self.spans)

    @property
    def valid(self) -> ShareTable:
        """The shares that are credited."""
        return self.table.select(ShareClass.VALID)

    @property
    def rate_h_s(self) -> float:
        """The rate of the valid shares over all windows [hash/s]."""
        return hashes_of(float(self.valid.difficulty.sum())) / self.duration_s

    @property
    def counts(self) -> Counter[ShareClass]:
        """The number of shares of each class."""
        return Counter(_CLASSES[index] for index in self.table.share_class)

    @property
    def one_difficulty(self) -> bool:
        """Whether every valid share has the difficulty that was frozen."""
        return bool(np.all(self.valid.difficulty == self.choice.difficulty))

    @property
    def temperatures_c(self) -> dict[str, float]:
        """Temperatures by place [°C], that of the room as the user states it."""
        stated = {} if self.ambient_c is None else {"ambient": self.ambient_c}
        return {**stated, **self.firmware.temperatures_c}


def work_interval(difficulties: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the work behind these shares over the work that was counted [-]."""
    count = int(difficulties.size)
    if count == 0:
        return 0.0, float("inf")
    if np.all(difficulties == difficulties[0]):
        low, high = poisson_interval(count)
        return low / count, high / count
    estimate = mixed_difficulty(difficulties.tolist(), 1.0)
    return estimate.low_h_s / estimate.rate_h_s, estimate.high_h_s / estimate.rate_h_s

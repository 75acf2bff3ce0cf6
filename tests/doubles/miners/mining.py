"""A Bitaxe on loopback whose chip is the CPU: it mines at the pool that is set, as long as that is on loopback.

Its telemetry shows what the simulated miner counts, so that displayed rate, shares and hashes belong together.
"""

import threading
import time

from bench.stratum.simulator.client import SessionEndedError
from bench.stratum.simulator.miner import SimulatedMiner
from doubles.miners.axeos import FakeAxeOS
from doubles.miners.unit import Unit


class CpuUnit(Unit):
    """A unit whose rate, hashes and shares are those of a simulated miner; 0 while none runs."""

    def __init__(self, power_w=17.0, difficulty=1.0):
        super().__init__(0.0, power_w, elapsed_s=0.0, difficulty=difficulty, tuning_s=0.0, clock=time.monotonic)
        self.miner = None

    @property
    def true_rate_h_s(self):
        return 0.0 if self.paused or self.miner is None else self.miner.tally.rate_h_s

    @property
    def hashes(self):
        return 0 if self.miner is None else self.miner.tally.hashes

    @property
    def accepted(self):
        return 0 if self.miner is None else self.miner.tally.accepted


class MiningAxeOS(FakeAxeOS):
    """AxeOS that works for its pool from each start on; `settings` go to the simulated miner."""

    def __init__(self, version="v2.15.0", *, power_w=17.0, restart_s=0.0, **settings):
        self._settings, self._mining, self._lock = settings, None, threading.Lock()
        super().__init__(CpuUnit(power_w), version, on_pool=self._work_for, restart_s=restart_s)

    def close(self):
        super().close()
        self._stop()

    def pause(self, paused):
        self._stop() if paused else self._work_for(self.pool_in_use)
        return super().pause(paused)

    def restart(self):
        self._stop()
        return super().restart()

    def _stop(self):
        with self._lock:
            if self._mining is not None:
                self.unit.miner.stop()
                self._mining.join()
                self._mining = None

    def _work_for(self, pool):
        self._stop()
        host, port, user = pool
        self.unit.miner = None
        if not str(host).startswith("127."):
            return  # the former pool stands for one on the internet, which no test connects to
        with self._lock:
            self.unit.miner = SimulatedMiner(host, port, user, **self._settings)
            self._mining = threading.Thread(target=self._mine, args=(self.unit.miner,), daemon=True)
            self._mining.start()

    @staticmethod
    def _mine(miner):
        try:
            miner.run()
        except (SessionEndedError, OSError):
            return  # the work server went away: the telemetry shows that nothing comes any more

"""A model on its device as a server that can be simulated: the cost of its steps, its limits and its memory."""

from dataclasses import dataclass, replace

import numpy as np

from bench.inference.batching import Limits
from bench.inference.serving import Setup
from bench.inference.simulation.arrivals import draw
from bench.inference.simulation.bisection import bisected
from bench.inference.simulation.power_limit import limited_speed
from bench.inference.simulation.serve import Array, Lengths, Requests, Served, serve
from bench.inference.step_cost import StepCost
from bench.inference.timing import step_cost

MOST_REQUESTS, MOST_TOKENS = 20_000, 50_000_000  # requests that measure the capacity, fewer if their answers are long
ROUNDS = 40  # times that they fill all slots at least, because a server near its capacity fills slowly
SUSTAINED_FRAC = 0.99  # [-] rate of the answers over that of the requests above which a server keeps up


@dataclass(frozen=True, slots=True)
class Server:
    """A server with continuous batching."""

    cost: StepCost
    limits: Limits
    setup: Setup | None = None  # whose memory limits the requests in service, or None without such a limit
    cap_w: float | None = None  # [W] power limit of each GPU of the setup below the one that it ships with

    @classmethod
    def online(cls, setup: Setup, speed: float = 1.0, cap_w: float | None = None) -> "Server":
        """Return the server of a setup at the engine's defaults, as the closed-loop model has it.

        Parameters
        ----------
        setup
            The model on its device.
        speed
            Measured over modelled speed of its steps.
        cap_w
            Power limit of each GPU [W] below the one that it ships with, or None.
        """
        limits = setup.online_limits()
        return cls(step_cost(setup, limits, graphs=False).scaled(1.0 / speed), limits, setup, cap_w)

    def serve(self, requests: Requests) -> Served:
        """Simulate some requests, with the drafts and the cached prompts of the setup."""
        return self.settled(requests)[0]

    def settled(self, requests: Requests) -> tuple[Served, float]:
        """Return the simulated requests, and the speed of the steps over that without the power limit.

        Raises
        ------
        InputError
            The power limit is outside the range of the device, or no watts of the device are known.
        """
        if self.setup is None:
            return serve(requests, self.cost, self.limits), 1.0
        requests = replace(requests, growth=1.0 + self.setup.accepted, hit_frac=self.setup.hit_frac)
        memory = self._memory(requests)

        def simulated(speed: float) -> Served:
            cost = self.cost if speed == 1.0 else self.cost.scaled(1.0 / speed)
            return serve(requests, cost, self.limits, memory)

        if self.cap_w is None:
            return simulated(1.0), 1.0
        return limited_speed(self.setup, self.cap_w, simulated)

    def capacity_per_s(self, input_len: int, output_len: int) -> float:
        """Return the largest rate of requests of these lengths with which the server keeps up [1/s].

        Notes
        -----
        It is not the rate at which a queue is emptied: requests that start together end together, and such a server can
        be slower than one with a mixture of young and old requests.
        """
        fitting = self.setup.most_sequences(input_len + output_len) if self.setup is not None else self.limits.batch
        count = max(min(MOST_TOKENS // output_len, MOST_REQUESTS), ROUNDS * min(self.limits.batch, fitting))
        drawn = draw(count, (input_len, output_len), 0)
        first, last = count // 4, 3 * count // 4

        def served_per_s(requests: Requests) -> float:
            ends_s = np.sort(self.serve(requests).last_s)
            return float((last - first) / (ends_s[last] - ends_s[first]))

        def keeps_up(rate_per_s: float) -> bool:
            requests = drawn.at(rate_per_s)
            arrival_s = requests.arrival_s
            arrived_per_s = float((last - first) / (arrival_s[last] - arrival_s[first]))
            return served_per_s(requests) >= SUSTAINED_FRAC * arrived_per_s

        queued = served_per_s(drawn.at(np.inf))
        return bisected(keeps_up, queued / 2.0, queued * 2.0, queued) or queued

    def _memory(self, requests: Requests) -> tuple[Array, float] | None:
        if self.setup is None:
            return None
        whole: Lengths = requests.input_len + requests.output_len
        lengths, places = np.unique(whole, return_inverse=True)
        each = np.array([self.setup.kv_bytes_per_sequence(int(length)) for length in lengths])
        return each[places], self.setup.kv_memory_bytes

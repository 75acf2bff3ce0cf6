"""A meter whose power is known: P = P0 + e_in · input rate + e_out · output rate, as a counter of the server's node."""

from dataclasses import dataclass

from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.meters.stream import PolledMeter


@dataclass(frozen=True)
class Consumption:
    """What the node consumes."""

    idle_w: float = 200.0
    input_j: float = 0.02  # energy of an input token
    output_j: float = 0.5  # energy of an output token

    def energy_j(self, seconds, input_tokens, output_tokens):
        return self.idle_w * seconds + self.input_j * input_tokens + self.output_j * output_tokens

    def j_per_output_token(self, input_per_s, output_per_s):
        return self.energy_j(1.0, input_per_s, output_per_s) / output_per_s


ACCURACY_FRAC = 0.01


def info(period_s=0.02):
    return MeterInfo("simulated", MeterKind.COUNTER, "wall", Tier.B, ACCURACY_FRAC, "stated", period_s,
                     poll_s=period_s, domains=("simulated",))  # fmt: skip


class SimulatedMeter(PolledMeter):
    """A counter of the energy of a double; the tokens are those that the server has counted so far."""

    def __init__(self, server, consumption, period_s=0.02):
        super().__init__(info(period_s))
        self._server, self._consumption = server, consumption
        self._began_s = self._clock()

    def connect(self):
        return self._info

    def read_once(self):
        now_s = self._clock()
        server = self._server
        joules = self._consumption.energy_j(now_s - self._began_s, server.prompt_tokens, server.output_tokens)
        return joules, (now_s,), ()

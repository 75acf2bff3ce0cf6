"""Runs without real time: slots of a closed loop whose replies have drawn times, read by the client's own functions."""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.endpoint.client.requests import spread_lengths
from bench.endpoint.figures.summary import split
from bench.endpoint.load.load import Load
from bench.endpoint.load.messages import request_of
from bench.endpoint.stream.reply import Chunk, Reply
from bench.measure.summary import metrics
from bench.results.record import Energy, Window
from doubles.endpoint.meter import ACCURACY_FRAC, Consumption, info

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LENGTHS = 64


@dataclass(frozen=True)
class Server:
    """The server's distributions."""

    slots: int = 8
    mean_tokens: int = 48
    prompt_tokens: int = 100
    per_chunk: int = 1
    token_s: float = 0.02
    token_sd: float = 0.03  # of a request's time per token, relative
    first_s: float = 0.3  # median
    first_sd: float = 0.3  # of its logarithm
    mood_sd: float = 0.0  # of a slow common change of speed, relative
    mood_s: float = 1.0  # its correlation time
    consumption: Consumption = field(default_factory=Consumption)

    @property
    def cycle_s(self):
        mean_first_s = self.first_s * math.exp(self.first_sd**2 / 2.0)
        return mean_first_s + (self.mean_tokens - 1) * self.token_s

    @property
    def tokens_per_s(self):
        return self.slots * self.mean_tokens / self.cycle_s

    @property
    def input_per_s(self):
        return self.slots * self.prompt_tokens / self.cycle_s

    @property
    def j_per_token(self):
        return self.consumption.j_per_output_token(self.input_per_s, self.tokens_per_s)

    @property
    def ttft_s(self):
        """The median; the text of the first chunk waits for all of its tokens."""
        return self.first_s + (self.per_chunk - 1) * self.token_s


def run(server, seed, *, window_s=20.0, windows=3):
    """Return the figures of a run by name, and the input and output tokens of its windows by an exact count."""
    draw = random.Random(f"{seed}")
    spans = [(5.0 + i * window_s, 5.0 + (i + 1) * window_s) for i in range(windows)]
    lengths = spread_lengths(server.mean_tokens, _LENGTHS, [draw.random() for _ in range(_LENGTHS)])
    ends = [(draw.uniform(-server.cycle_s, 0.0), slot) for slot in range(server.slots)]
    load, read, sent, number = Load([]), [], [], 0
    mood = _mood(server, draw, spans[-1][1] + 10.0)
    while min(ends)[0] < spans[-1][1]:
        at_s, slot = min(ends)
        ends.remove((at_s, slot))
        tokens = lengths[number % _LENGTHS]
        pace = mood(at_s)
        first_s = server.first_s * pace * draw.lognormvariate(0.0, server.first_sd)
        token_s = server.token_s * pace * (1.0 + draw.gauss(0.0, server.token_sd))
        read.append((at_s + first_s, server.prompt_tokens))
        chunks = []
        for done in range(0, tokens, server.per_chunk):
            count = min(server.per_chunk, tokens - done)
            when_s = at_s + first_s + (done + count - 1) * token_s
            chunks.append(Chunk(round((when_s + 1000.0) * 1e9), 4 * count, 0, count, None))
            sent.append((when_s, count))
        reply = Reply(200, {}, chunks, "length", server.prompt_tokens, tokens, 0, 0, True, True)
        reply.end_ns = chunks[-1].time_ns
        start_ns = round((at_s + 1000.0) * 1e9)
        request, binned = request_of(number, start_ns, start_ns, 0, reply, tokens, unfinished=False)
        load.requests.append(request)
        for bin_, count in binned:
            load._tokens[bin_] += count
        ends.append((when_s, slot))
        number += 1
    return _figures(server, load, spans, (read, sent), draw.uniform(-ACCURACY_FRAC, ACCURACY_FRAC))


def _figures(server, load, spans, events, gain):
    timed, exact = [], []
    read, sent = events
    for index, (start_s, end_s) in enumerate(spans):
        inputs, outputs = (sum(n for at_s, n in events if start_s <= at_s < end_s) for events in (read, sent))
        exact.append((inputs, outputs))
        joules = server.consumption.energy_j(end_s - start_s, inputs, outputs) * (1.0 + gain)
        energy = Energy(meter="simulated", boundary="wall", tier="B", joules=joules, samples=100)
        timed.append(
            Window(index=index, start_utc=NOW + timedelta(seconds=start_s), start_s=start_s + 1000.0,
                   end_s=end_s + 1000.0, work=load.tokens_between(start_s + 1000.0, end_s + 1000.0), batches=1,
                   energy=(energy,))
        )  # fmt: skip
    requests = split(load.requests, [(window.start_s, window.end_s) for window in timed])
    return {**metrics("token", timed, [info()]), **requests.latencies()}, exact


def _mood(server, draw, until_s):
    """Return the speed over time: a first-order process with a correlation time, drawn once a tenth of it."""
    step_s = server.mood_s / 10.0
    keep, value, values = math.exp(-0.1), draw.gauss(0.0, 1.0), []
    if not server.mood_sd:
        return lambda _at_s: 1.0
    for _ in range(int((until_s + 20.0) / step_s) + 2):
        values.append(value)
        value = keep * value + (1.0 - keep * keep) ** 0.5 * draw.gauss(0.0, 1.0)
    return lambda at_s: 1.0 + server.mood_sd * values[int((at_s + 20.0) / step_s)]


def truths(server):
    return {
        "rate": server.tokens_per_s,
        "energy_per_token_wall": server.j_per_token,
        "ttft_q50": server.ttft_s,
        "tpot_q50": server.token_s,
    }


def coverage(server, seeds, **more):
    """Return by figure the share of runs whose interval covers the truth, and the mean relative error."""
    covered, errors = dict.fromkeys(truths(server), 0), dict.fromkeys(truths(server), 0.0)
    for seed in seeds:
        figures, _ = run(server, seed, **more)
        for name, truth in truths(server).items():
            low, high = figures[name].interval_95
            covered[name] += low <= truth <= high
            errors[name] += figures[name].value / truth - 1.0
    count = len(seeds)
    return {name: (covered[name] / count, errors[name] / count) for name in covered}

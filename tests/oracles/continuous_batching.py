"""Continuous batching played request by request in plain Python, from the rules and not from the code."""

import math
from dataclasses import dataclass, field


@dataclass
class Request:
    arrival: float
    input_len: int
    output_len: int
    reserved: int
    cached: int = 0  # tokens of the prompt that need not be read
    growth: float = 1.0  # tokens of the answer that each step generates
    read: int = 0
    steps: int = 0  # that have generated tokens
    times: list = field(default_factory=list)  # end of the step of each token
    start: float | None = None

    def is_complete(self):
        return self.steps >= self.output_len / self.growth - 0.5


def step_seconds(cost, decoding, chunks, outputs):
    """The time of one step by the definition of StepCost; chunks are (tokens read before, tokens read now)."""
    contexts = [one.input_len + one.growth * one.steps for one in decoding]
    prompt = sum(now for _, now in chunks)
    keys = [before + position for before, now in chunks for position in range(1, now + 1)]
    computed = prompt
    if cost.padding is not None:
        rule, begun = cost.padding, max(1, outputs - len(decoding))
        most = min(rule.copies, 1.0 + math.sqrt(2.0 * math.log(rule.copies) * rule.copies / begun))
        computed = max(prompt, int(min(prompt * most, rule.most_tokens)))
    seconds = cost.mixed_s[len(decoding) + computed] if prompt else cost.decode_s[len(decoding)]
    seconds += cost.head_s[outputs] + cost.context_s * sum(contexts) + cost.sequence_s * len(decoding)
    seconds += cost.pair_s * sum(keys)
    if cost.window is not None:
        seconds += cost.windowed_s * sum(min(context, cost.window) for context in contexts)
        seconds += cost.windowed_pair_s * sum(min(key, cost.window) for key in keys)
    host = cost.host_step_s + cost.host_sequence_s * outputs
    return max(seconds, host) if cost.host_overlaps else seconds + host


def read_prompts(queue, running, room, memory, clock):
    """Take prompts in the order of arrival; return (chunks, requests whose prompt is complete, one in parts)."""
    (decoding, reading), (slots, left) = running, room
    chunks, complete = [], []
    while left > 0 and len(decoding) + len(complete) < slots:
        if reading is None:
            held = sum(one.reserved for one in [*decoding, *complete])
            if not queue or queue[0].arrival > clock or held + queue[0].reserved > memory:
                break
            reading = queue.pop(0)
            reading.start, reading.read = clock, reading.cached
        now = min(left, reading.input_len - reading.read)
        chunks.append((reading.read, now))
        reading.read, left = reading.read + now, left - now
        if reading.read == reading.input_len:
            complete.append(reading)
            reading = None
    return chunks, complete, reading


def play(requests, cost, limits, memory, clients=0):
    """Serve the requests; return the number of steps."""
    for index, one in enumerate(requests if clients else ()):
        one.arrival = 0.0 if index < clients else math.inf
    batch, budget = limits
    clock, steps = 0.0, 0
    queue, reading, decoding = list(requests), None, []
    while queue or reading or decoding:
        if not (reading or decoding):
            clock = max(clock, queue[0].arrival)
        room = min(batch, budget), budget - len(decoding)
        chunks, complete, reading = read_prompts(queue, (decoding, reading), room, memory, clock)
        clock += step_seconds(cost, decoding, chunks, len(decoding) + len(complete))
        steps += 1
        running, decoding = [*decoding, *complete], []
        for one in running:
            one.steps += 1
            one.times.append(clock)
            if not one.is_complete():
                decoding.append(one)
                continue
            following = next((other for other in queue if other.arrival == math.inf), None)
            if following is not None:
                following.arrival = clock
    return steps

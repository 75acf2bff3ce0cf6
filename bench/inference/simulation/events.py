"""The compiled loop of the simulation: one step of the server after the other."""

import numpy as np

from kernels.jit import cached_njit


@cached_njit()
def run_steps(arrival_s, input_len, output_len, reserved, clients, limits, tables, prices, times_s):
    """Serve all requests in the order of their arrival and write the times of each.

    Parameters
    ----------
    arrival_s
        Arrival of each request, ascending [s]. With clients, only the first of each client; the others are written.
    input_len, output_len
        Tokens of each prompt and of each answer.
    reserved
        Memory that each request reserves while it is served [byte].
    clients
        Clients that send the next request when their last one ends, or 0 if arrivals do not depend on the server.
    limits
        Sequences that run at once, tokens of a step, memory [byte].
    tables
        Seconds of a step by its tokens if it reads prompts, by its sequences if it only decodes, and of the output head
        by the sequences that need it, as in StepCost.
    prices
        The numbers of StepCost in the order of its fields; without a window, the longest sequence is one.
    times_s
        Array of three rows to write: start, first token, last token [s].

    Returns
    -------
    tuple
        Number of steps, seconds in which the server worked, integral of the requests in service [s].
    """
    slots, budget, memory = limits
    mixed_s, decode_s, head_s = tables
    context_s, windowed_s, window, sequence_s, pair_s, windowed_pair_s, host_step_s, host_sequence_s, overlaps = prices
    start_s, first_s, last_s = times_s
    count = arrival_s.size
    rounds = output_len.max()
    ending = np.full(rounds, -1, np.int64)  # first request of the list that ends with a step, by step modulo rounds
    linked = np.full(count, -1, np.int64)  # next request of the same list
    filling = np.zeros(rounds, np.int64)  # sequences whose window is full after a step
    head, part, decoding, finished, sent = 0, 0, 0, 0, clients
    context, windowed, growing, used = 0, 0, 0, 0
    clock, busy, area, steps, place = 0.0, 0.0, 0.0, 0, 0
    while finished < count:
        is_waiting = head < count and arrival_s[head] <= clock
        if decoding == 0 and not is_waiting:
            clock = arrival_s[head]
            continue
        # prompts are read in the order of arrival, as far as slots, tokens and memory allow
        begin, prompt, pairs, near_pairs = head, 0, 0.0, 0.0
        left, free = budget - decoding, slots - decoding
        while is_waiting and left > 0 and free > 0:
            if part == 0:
                if used + reserved[head] > memory:
                    break
                used += reserved[head]
                start_s[head] = clock
            take = min(left, input_len[head] - part)
            pairs += take * part + 0.5 * take * (take + 1)
            if windowed_pair_s > 0.0:
                rising = min(max(window - part, 0), take)
                near_pairs += rising * part + 0.5 * rising * (rising + 1) + (take - rising) * window
            part += take
            left -= take
            prompt += take
            if part == input_len[head]:
                part = 0
                head += 1
                free -= 1
            is_waiting = head < count and arrival_s[head] <= clock
        done = head - begin
        outputs = decoding + done
        seconds = mixed_s[decoding + prompt] if prompt > 0 else decode_s[decoding]
        seconds += head_s[outputs] + context_s * (context + decoding) + windowed_s * (windowed + growing)
        seconds += sequence_s * decoding + pair_s * pairs + windowed_pair_s * near_pairs
        host = host_step_s + host_sequence_s * outputs
        seconds = max(seconds, host) if overlaps else seconds + host
        clock += seconds
        busy += seconds
        area += seconds * (outputs + (part > 0))
        steps += 1
        place = place + 1 if place + 1 < rounds else 0
        context += decoding
        windowed += growing
        growing -= filling[place]
        filling[place] = 0
        # those whose last token has come leave
        index = ending[place]
        ending[place] = -1
        while index >= 0:
            last_s[index] = clock
            length = input_len[index] + output_len[index] - 1
            decoding -= 1
            context -= length
            windowed -= min(length, window)
            growing -= length < window
            used -= reserved[index]
            finished += 1
            if sent < count and clients > 0:
                arrival_s[sent] = clock
                sent += 1
            index = linked[index]
        # those whose prompt was read decode from the next step
        for index in range(begin, head):
            first_s[index] = clock
            if output_len[index] == 1:
                last_s[index] = clock
                used -= reserved[index]
                finished += 1
                if sent < count and clients > 0:
                    arrival_s[sent] = clock
                    sent += 1
                continue
            end = (place + output_len[index] - 1) % rounds
            linked[index] = ending[end]
            ending[end] = index
            decoding += 1
            context += input_len[index]
            windowed += min(input_len[index], window)
            if input_len[index] < window:
                growing += 1
                if window - input_len[index] <= output_len[index] - 1:
                    filling[(place + window - input_len[index]) % rounds] += 1
    return steps, busy, area

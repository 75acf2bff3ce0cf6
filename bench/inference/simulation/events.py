"""The compiled loop of the simulation: one step of the server after the other."""

import numpy as np

from kernels.jit import cached_njit


@cached_njit()
def run_steps(arrival_s, lengths, reserved, clients, limits, tables, prices, padding, times_s):
    """Serve all requests in the order of their arrival and write the times of each.

    Parameters
    ----------
    arrival_s
        Arrival of each request, ascending [s]. With clients, only the first of each client; the others are written.
    lengths
        Tokens of each prompt, those of them that are in a cache already, and steps that generate each answer.
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
        The numbers of StepCost in the order of its fields, with a window that no sequence fills for none, and the
        tokens that a step generates for a decoding sequence.
    padding
        Copies of attention that are padded to the one that reads most of the prompts (1: not padded), and the other
        numbers of the rule, as in Padding.
    times_s
        Array of three rows to write: start, first token, last token [s].

    Returns
    -------
    tuple
        Number of steps, seconds in which the server worked, integral of the requests in service [s].
    """
    slots, budget, memory = limits
    mixed_s, decode_s, head_s = tables
    context_s, windowed_s, window, sequence_s, pair_s, windowed_pair_s = prices[:6]
    host_step_s, host_sequence_s, overlaps, step_tokens, growth = prices[6:]
    copies, squared, most_padded = padding
    input_len, cached, answer_steps = lengths
    start_s, first_s, last_s = times_s
    count = arrival_s.size
    rounds = answer_steps.max()
    ending = np.full(rounds, -1, np.int64)  # first request of the list that ends with a step, by step modulo rounds
    linked = np.full(count, -1, np.int64)  # next request of the same list
    filling = np.zeros(rounds, np.int64)  # sequences whose window is full after a step
    surplus = np.zeros(rounds)  # tokens of that step beyond their windows
    head, part, decoding, finished, sent = 0, 0, 0, 0, clients
    context, windowed, growing, used, steps, place = 0.0, 0.0, 0, 0, 0, 0
    clock, busy, area = 0.0, 0.0, 0.0
    while finished < count:
        is_waiting = head < count and arrival_s[head] <= clock
        if decoding == 0 and not is_waiting:
            clock = arrival_s[head]
            continue
        place = place + 1 if place + 1 < rounds else 0
        more = growth * growing - surplus[place]
        # prompts are read in the order of arrival, as far as slots, tokens and memory allow
        begin, prompt, pairs, near_pairs = head, 0, 0.0, 0.0
        left, free = budget - decoding, slots - decoding
        while is_waiting and left > 0 and free > 0:
            if part == 0:
                part = cached[head]
                if used + reserved[head] > memory:
                    part = 0
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
        computed = prompt
        if copies > 1 and prompt > 0:
            factor = min(copies, 1.0 + np.sqrt(squared / max(1, done)))
            computed = max(prompt, int(min(prompt * factor, most_padded)))
        seconds = mixed_s[step_tokens * decoding + computed] if prompt > 0 else decode_s[decoding]
        seconds += head_s[outputs] + context_s * (context + growth * decoding) + windowed_s * (windowed + more)
        seconds += sequence_s * decoding + pair_s * pairs + windowed_pair_s * near_pairs
        host = host_step_s + host_sequence_s * outputs
        seconds = max(seconds, host) if overlaps else seconds + host
        clock += seconds
        busy += seconds
        area += seconds * (outputs + (part > 0))
        steps += 1
        context += growth * decoding
        windowed += more
        growing -= filling[place]
        filling[place] = 0
        surplus[place] = 0.0
        # those whose last token has come leave
        index = ending[place]
        ending[place] = -1
        while index >= 0:
            last_s[index] = clock
            length = input_len[index] + growth * (answer_steps[index] - 1)
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
            if answer_steps[index] == 1:
                last_s[index] = clock
                used -= reserved[index]
                finished += 1
                if sent < count and clients > 0:
                    arrival_s[sent] = clock
                    sent += 1
                continue
            end = (place + answer_steps[index] - 1) % rounds
            linked[index] = ending[end]
            ending[end] = index
            decoding += 1
            context += input_len[index]
            windowed += min(input_len[index], window)
            if input_len[index] < window:
                growing += 1
                grown = int(np.ceil((window - input_len[index]) / growth))
                if grown <= answer_steps[index] - 1:
                    full = (place + grown) % rounds
                    filling[full] += 1
                    surplus[full] += input_len[index] + growth * grown - window
    return steps, busy, area

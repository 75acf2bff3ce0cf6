"""Binding times: the mining tricks fall out of the textbook description, and the counter proves it."""

import random

from oracles.op_count import COSTS, count_operations, scan_operations

from kernels.sha256.description import schedule, sha256d_tail
from kernels.sha256.graph import Graph, Lowering, Time, early_and_late
from kernels.sha256.reference import INTEGERS
from kernels.sha256.scan_graph import JOB_INPUTS, scan_graph


class IntegerTarget:
    """Executes a graph's operations on integers."""

    def __init__(self, inputs):
        self._inputs = inputs

    def input(self, name):
        return self._inputs[name]

    def constant(self, value):
        return value

    def apply(self, operation, time, arguments, immediate):
        del time
        return getattr(INTEGERS, operation)(*arguments, *([immediate] if operation in ("rotr", "shr") else []))


def test_the_lowered_scan_computes_the_last_word():
    generator = random.Random(7)
    scan = scan_graph(Graph())
    for _ in range(20):
        values = {name: generator.getrandbits(32) for name in (*JOB_INPUTS, "nonce_word")}
        lowering = Lowering(IntegerTarget(values), [scan.last_word]).run()
        midstate, tail = [values[n] for n in JOB_INPUTS[:8]], [values[n] for n in JOB_INPUTS[8:]]
        assert lowering.value(scan.last_word) == sha256d_tail(INTEGERS, midstate, tail, values["nonce_word"])[7]


def test_a_step_takes_as_many_instructions_as_the_documentation_says():
    assert {machine: scan_operations(machine) for machine in COSTS} == {"ternary": 2848, "rotate": 3712, "plain": 5752}


def test_rounds_before_the_nonce_and_after_round_60_cost_nothing():
    counts = count_operations([scan_graph(Graph()).last_word])
    textbook_rounds = 2 * 64
    assert counts["ch"] == textbook_rounds - 3 - 5  # rounds 0 to 3 and 0; 61 to 63
    assert counts["maj"] < counts["ch"]  # the last rounds need e alone


def test_schedule_words_of_padding_and_job_cost_nothing_per_nonce():
    graph = Graph()
    nonce = graph.input("nonce", Time.NONCE)
    block = [graph.input(f"t{i}", Time.JOB) for i in range(3)]
    block += [nonce, *map(graph.constant, [0x80000000, *[0] * 10, 640])]
    times = [word.time for word in schedule(graph, block)]
    assert [index for index, time in enumerate(times) if time is Time.NONCE][:3] == [3, 18, 19]
    assert times[15] is Time.CONSTANT


def test_equal_expressions_are_one_node_and_constants_fold():
    graph = Graph()
    x = graph.input("x", Time.NONCE)
    assert graph.rotr(x, 7) is graph.rotr(x, 7)
    assert graph.rotr(graph.constant(1), 1) is graph.constant(0x80000000)
    assert graph.add(x, graph.constant(0)) is x
    assert graph.add(graph.constant(0xFFFFFFFF), graph.constant(1)) is graph.constant(0)


def test_a_sum_splits_into_early_and_late_terms():
    graph = Graph()
    late, job = graph.input("late", Time.NONCE), graph.input("job", Time.JOB)
    total = graph.add(graph.add(job, late), graph.constant(5), graph.constant(6))
    early, terms = early_and_late(graph, total)
    assert terms == [late]
    assert early is graph.add(job, graph.constant(11))


def test_what_nobody_asks_for_is_not_emitted():
    graph = Graph()
    x = graph.input("x", Time.NONCE)
    graph.rotr(x, 3)
    assert sum(count_operations([graph.add(x, graph.constant(1))]).values()) == 1

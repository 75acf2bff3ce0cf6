"""The scan step on the CPU's SHA instructions as Numba intrinsics, with several nonces in flight to hide latency."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from llvmlite import ir

from kernels.compiler import intrinsic
from kernels.scan_cpu.codegen.lanes_step import STEP_SIGNATURE, job_values
from kernels.scan_cpu.codegen.lanes_target import I32, LaneTarget, declare
from kernels.scan_cpu.codegen.sha_target import QUAD, ZERO, ArmSha, Pair, QuadMachine, X86Sha, shuffle
from kernels.sha256.description import INITIAL_STATE, K, digest_block, rounds, tail_block
from kernels.sha256.graph import Graph, Lowering, Node, Time, early_and_late
from kernels.sha256.scan_graph import MIDSTATE_INPUTS, TAIL_INPUTS

STREAMS = 4

# The SHA instructions take over where the rounds are no longer constant per job or linear in one late word: after
# rounds 0 to 3 of the first block (the nonce is word 3) and after round 0 of the second. 60 rounds of each block are
# left: the scan needs no result after round 60 of the second.
FIRST_START, SECOND_START, QUADS_OF_ROUNDS = 4, 1, 15


class QuadScan:
    """The scan of one nonce after another for one job, emitted as LLVM IR."""

    def __init__(self, builder: ir.IRBuilder, machine: QuadMachine, inputs: dict[str, ir.Value]) -> None:
        self.builder, self.machine, self.inputs = builder, machine, inputs
        self.graph = graph = Graph()
        self.late = graph.input("late", Time.NONCE)
        tail = [graph.input(name, Time.JOB) for name in TAIL_INPUTS]
        self.midstate = [graph.input(name, Time.JOB) for name in MIDSTATE_INPUTS]
        self.initial = [graph.constant(value) for value in INITIAL_STATE]
        self.words = tail_block(graph, tail, self.late)

    def scan(self, nonce_word: ir.Value) -> Generator[None, None, ir.Value]:
        """Emit the scan of one nonce, yield after every four rounds, and return the last word of the hash."""
        lone = self.builder.insert_element(ZERO, nonce_word, I32(0))
        quads = [self.linear(self.words[i : i + 4], lone, 0) for i in range(0, 16, 4)]
        state = self.state_after(self.midstate, self.words[:FIRST_START], lone, 0)
        state = yield from self.sixty_rounds(state, self.sums(quads, 1, FIRST_START))
        return (yield from self.second_block(state))

    def second_block(self, state: Pair) -> Generator[None, None, ir.Value]:
        """Emit the second hash of the state after the first block's rounds, and return its last word."""
        digest = self._digest(state)
        padding = digest_block(self.graph, [])
        q0, q1 = (self._quad_of(digest, letters) for letters in ("abcd", "efgh"))
        word16 = self.machine.half_quad(q0, q1)  # its other two terms are padding: zero
        start = self.state_after(self.initial, [self.late], q0, 0)
        quads = [
            shuffle(self.builder, q0, q1, (1, 2, 3, 4)),
            shuffle(self.builder, q1, self.linear(padding[:4], ZERO, 0), (1, 2, 3, 4)),
            self.linear(padding[1:5], ZERO, 0),
            shuffle(self.builder, self.linear(padding[4:8], ZERO, 0), word16, (1, 2, 3, 4)),
        ]
        state = yield from self.sixty_rounds(start, self.sums(quads, 0, SECOND_START))
        vector, lane = self._vector_and_lane("e")
        e = self.builder.extract_element(state[vector], I32(lane))
        return self.builder.add(e, I32(INITIAL_STATE[7]))  # e is what round 63 will call h

    def sums(self, quads: list[ir.Value], turn: int, first: int) -> Iterator[ir.Value]:
        """Yield K + W of 60 rounds from round `first` on, whose schedule words start at quads[turn]."""
        for start in range(first, first + 4 * QUADS_OF_ROUNDS, 4):
            if turn == len(quads):
                quads.append(self.machine.next_quad(quads[-4:]))
            yield self.builder.add(quads[turn], ir.Constant(QUAD, list(K[start : start + 4])))
            turn += 1

    def sixty_rounds(self, state: Pair, sums: Iterable[ir.Value]) -> Generator[None, None, Pair]:
        """Emit four rounds for each quad of K + W, and yield after each of them."""
        for words in sums:
            state = self.machine.four_rounds(state, words)
            yield
        return state

    def state_after(self, state: Sequence[Node], words: Sequence[Node], source: ir.Value, lane: int) -> Pair:
        """Return the state after the first rounds, in which the late word occurs in sums only."""
        *_, last = rounds(self.graph, state, words)
        first, second = ([last["abcdefgh".index(letter)] for letter in letters] for letters in self.machine.layout)
        return self.linear(first, source, lane), self.linear(second, source, lane)

    def linear(self, nodes: Sequence[Node], source: ir.Value, lane: int) -> ir.Value:
        """Return a quad of sums of early words, with the late word added to those that contain it.

        Parameters
        ----------
        nodes
            Four sums.
        source, lane
            Vector and lane of the late word.
        """
        parts = [early_and_late(self.graph, node) for node in nodes]
        quad = self.early_quad([early for early, _ in parts])
        if not any(late for _, late in parts):
            return quad
        return self.builder.add(quad, shuffle(self.builder, source, ZERO, [lane if late else 4 for _, late in parts]))

    def early_quad(self, nodes: Sequence[Node]) -> ir.Value:
        """Return a quad of words that are known before the nonce."""
        lowering = Lowering(LaneTarget(self.builder, 1, self.inputs), nodes).run()
        values = [lowering.value(node) for node in nodes]
        quad = ir.Constant(QUAD, [v.constant if isinstance(v, ir.Constant) else 0 for v in values])
        for index, value in enumerate(values):
            if not isinstance(value, ir.Constant):
                quad = self.builder.insert_element(quad, value, I32(index))
        return quad

    def _digest(self, state: Pair) -> Pair:
        """Return state plus midstate in the machine's layout."""
        before = [
            self.linear([self.midstate["abcdefgh".index(letter)] for letter in letters], ZERO, 0)
            for letters in self.machine.layout
        ]
        return self.builder.add(state[0], before[0]), self.builder.add(state[1], before[1])

    def _vector_and_lane(self, letter: str) -> tuple[int, int]:
        vector = 0 if letter in self.machine.layout[0] else 1
        return vector, self.machine.layout[vector].index(letter)

    def _quad_of(self, state: Pair, letters: str) -> ir.Value:
        """Return the state words of `letters` as a quad."""
        lanes = [4 * vector + lane for vector, lane in map(self._vector_and_lane, letters)]
        return shuffle(self.builder, *state, lanes)


def quad_step(machine: Callable[[ir.IRBuilder], QuadMachine], streams: int) -> Callable[..., Any]:
    """Return the code generator of a step of several nonces, from a job tuple and a base nonce to candidates' bits."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        job, base = arguments
        inputs, mask = job_values(builder, job)
        scan = QuadScan(builder, machine(builder), inputs)
        swapped = builder.call(declare(builder, "llvm.bswap.i32", I32, [I32]), [base])
        flights = [scan.scan(builder.add(swapped, I32(stream << 24))) for stream in range(streams)]
        bits: ir.Value = I32(0)
        for stream, word in enumerate(interleave(flights)):
            hit = builder.zext(builder.icmp_unsigned("==", builder.and_(word, mask), I32(0)), I32)
            bits = builder.or_(bits, builder.shl(hit, I32(stream)))
        return bits

    return generate


def interleave(flights: Sequence[Generator[None, None, ir.Value]]) -> list[ir.Value]:
    """Advance all generators in turn, one yield at a time, and return their results."""
    results: list[ir.Value] = [None] * len(flights)
    pending = list(enumerate(flights))
    while pending:
        unfinished = []
        for index, flight in pending:
            try:
                next(flight)
                unfinished.append((index, flight))
            except StopIteration as stop:
                results[index] = stop.value
        pending = unfinished
    return results


@intrinsic
def scan_step_shani(_typing: Any, _job: Any, _base: Any) -> Any:
    """Test four nonces on x86's SHA instructions."""
    return STEP_SIGNATURE, quad_step(X86Sha, STREAMS)


@intrinsic
def scan_step_neon_sha2(_typing: Any, _job: Any, _base: Any) -> Any:
    """Test four nonces on Arm's SHA instructions."""
    return STEP_SIGNATURE, quad_step(ArmSha, STREAMS)

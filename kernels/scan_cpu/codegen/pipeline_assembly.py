"""The assembly of one step of a software pipeline: vectors make message schedules, SHA instructions do the rounds.

A step works on four batches of neighbouring nonces at once, each in another stage:

    schedule 1 of batch i + 1 | rounds 1 of batch i | schedule 2 of batch i - 1 | rounds 2 of batch i - 2

No stage waits for another one in the same step, so that both kinds of port are always busy. A stage passes its results
on through scratch areas: schedule 1 through R and S, the others through P and Q. P and Q are swapped after every step.

With several midstates, a batch is eight or sixteen nonces with one of them, and one schedule 1 serves as many batches
as there are midstates. Each of these steps does an equal part of it, and R and S are swapped after the last. The parts
run the same code: it reads sixteen words of the schedule from memory and appends the next ones. Batches that are hashed
on vectors alone get their schedules in the same way, and are hashed while those of batch i are in rounds 1.

Schedules, linear rounds and whole vector hashes all come from `kernels.sha256.description` through the graph.
`pipeline_step` compiles this text.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, zip_longest

from kernels.scan_cpu.codegen.assembly import Instruction, RegisterAllocator, merge
from kernels.scan_cpu.codegen.assembly_target import AssemblyTarget
from kernels.scan_cpu.codegen.early import Early, EarlyTable, EarlyTables
from kernels.scan_cpu.codegen.pipeline_layout import (
    ABEF,
    CDGH,
    FIRST_ROUND,
    MIDSTATE,
    PAIRS,
    TABLE,
    TABLE_BIAS,
    Layout,
    P,
    Program,
    Q,
    R,
    Shape,
)
from kernels.scan_cpu.codegen.pipeline_vectors import VectorStages
from kernels.sha256.description import INITIAL_STATE, K, digest_block, rounds, schedule, tail_block
from kernels.sha256.graph import Graph, Lowering, Node, Time, early_and_late
from kernels.sha256.scan_graph import MIDSTATE_INPUTS, TAIL_INPUTS

# The SHA instructions' legacy encoding keeps the upper halves of ymm0 to ymm15. If these are dirty, a Zen 4 core takes
# twice the time: 157 cycles a hash instead of 74.
_CLEAN = "vzeroupper"


def at_odd_distances(runs: Sequence[list[Instruction]], vectors: Sequence[Instruction]) -> list[Instruction]:
    """Mix runs evenly with vectors, an odd distance between the last SHA instruction of a run and the next one's first.

    A Zen 4 core seems to deal instructions alternately to the two halves of its vector unit. If the distances are even,
    the half with the SHA unit gets too many others.
    """
    result: list[Instruction] = []
    used, after = 0, 0  # vectors used; instructions since the last SHA instruction
    for number, run in enumerate(runs, 1):
        sha = [index for index, instruction in enumerate(run) if instruction.mnemonic.startswith("sha256rnds2")]
        odd = (after + sha[0]) % 2
        count = max(0, 2 * round((len(vectors) * number / len(runs) - used - odd) / 2) + odd)
        result += [*vectors[used : used + count], *run]
        used, after = min(used + count, len(vectors)), len(run) - 1 - sha[-1]
    return result + list(vectors[used:])


class Pipeline:
    """The writer of one step of a pipeline.

    Parameters
    ----------
    shape
        Dimensions of the pipeline.
    midstates
        Midstates that share a schedule: 1, 2, 4 or 8.
    """

    def __init__(self, shape: Shape, midstates: int) -> None:
        self.shape, self.midstates, self.layout, self.graph = shape, midstates, Layout(shape), Graph()
        self.tables = EarlyTables(EarlyTable(TABLE, TABLE_BIAS), EarlyTable(MIDSTATE))
        graph = self.graph
        self.late = graph.input("late", Time.NONCE)
        tail = [graph.input(name, Time.JOB) for name in TAIL_INPUTS]
        self.midstate = [graph.input(name, Time.JOB) for name in MIDSTATE_INPUTS]
        initial = [graph.constant(value) for value in INITIAL_STATE]
        digest = [graph.input(f"digest{i}", Time.NONCE) for i in range(8)]
        self.blocks = (tail_block(graph, tail, self.late), digest_block(graph, digest))
        *_, after_nonce = rounds(graph, self.midstate, self.blocks[0][: FIRST_ROUND[0]])
        *_, after_first = rounds(graph, initial, self.blocks[1][: FIRST_ROUND[1]])
        self.starts = (after_nonce, after_first)
        self.words_plus_k = [self._words_plus_k(block) for block in (0, 1)]
        self._place_near()
        self.vectors = VectorStages(shape, midstates, graph, self.words_plus_k, self.tables)
        self.saved = self.tables.address(*[Early("saved", (), i) for i in range(8 * shape.chains)], align=16)

    def _place_near(self) -> None:
        """Put words that every lane reads first in the table: short displacements keep a step in the cache."""
        for block in (0, 1):
            self._begin(block, 0, "", "")
            self._end(P, block, 0, "", "")
            for pair in range(PAIRS):
                self._pair_address(P, block, 0, pair)

    def program(self) -> Program:
        """Return the step."""
        code = self._interleaved(self.vectors.program()) + self.vectors.test()
        table_bytes = -(-4 * len(self.tables.job.words) // 64) * 64
        spill = f"{TABLE} + {table_bytes - TABLE_BIAS}"
        allocator = RegisterAllocator(self.shape.register, self.shape.lanes, spill)
        lines = [".intel_syntax noprefix", _CLEAN, "xor eax, eax", *allocator.assemble(code), ".att_syntax"]
        spill_bytes = allocator.slots * 4 * self.shape.lanes
        rows_bytes = self.layout.rows_end if self.midstates == 1 else self.layout.schedules_end
        return Program("\n".join(lines), self.tables, table_bytes + spill_bytes, self.layout.end, rows_bytes)

    def _words_plus_k(self, block: int) -> list[Node]:
        words = enumerate(schedule(self.graph, self.blocks[block]))
        sums = [self.graph.add(word, self.graph.constant(K[index])) for index, word in words]
        return sums[FIRST_ROUND[block] :][: 2 * PAIRS]

    def _interleaved(self, vectors: list[Instruction]) -> list[Instruction]:
        """Return the instructions of the chains and the vectors, evenly mixed."""
        turns, count = self._turns(), self.shape.turns
        if count == 0:
            return merge(list(chain.from_iterable(turns)), vectors)
        runs = [list(chain.from_iterable(turns[start : start + count])) for start in range(0, len(turns), count)]
        return at_odd_distances(runs, vectors)

    def _turns(self) -> list[list[Instruction]]:
        """Return the instructions of each turn, one turn of each chain after the other."""
        tasks, borders = self._tasks(), self._borders()
        flights = [list(self._chain(number, tasks, *ends)) for number, ends in enumerate(pairwise(borders))]
        turns = [lines for turn in zip_longest(*flights, fillvalue=[]) for lines in turn if lines]
        return [[Instruction(line) for line in lines] for lines in turns]

    def _borders(self) -> list[int]:
        """Return the first round pair of each chain and the end of the last, counted over all tasks end to end."""
        turns, chains = 2 * self.shape.lanes * PAIRS, self.shape.chains
        return [turns * chain // chains for chain in range(chains + 1)]

    def _tasks(self) -> list[tuple[int, int]]:
        """Return the (block, lane) of each 60 rounds, end to end over all chains.

        If a task is divided between two chains, the second chain finishes it in the next step. Such a task must belong
        to the second block, whose result only the test reads.
        """
        divided = {border // PAIRS for border in self._borders()[1:-1] if border % PAIRS}
        second = iter([(1, lane) for lane in range(self.shape.lanes)])
        reserved = {index: next(second) for index in sorted(divided)}
        others = iter([(0, lane) for lane in range(self.shape.lanes)] + list(second))
        return [reserved[index] if index in reserved else next(others) for index in range(2 * self.shape.lanes)]

    def _chain(self, number: int, tasks: list[tuple[int, int]], start: int, end: int) -> Iterator[list[str]]:
        """Yield the lines of each turn of a chain: a round pair, with the loads and stores of a task's start or end."""
        x, y = f"xmm{1 + 2 * number}", f"xmm{2 + 2 * number}"
        old, new = Q, P  # the batch of a task that the last step began is in Q now
        area = old
        for position in range(start, end):
            (block, lane), pair = tasks[position // PAIRS], position % PAIRS
            lines = []
            if pair == 0:
                area = new
                lines += self._begin(block, lane, x, y)
            elif position == start:
                lines += [f"movdqa {r}, [{self.saved} + {32 * number + 16 * i}]" for i, r in enumerate((x, y))]
            lines += [f"movq xmm0, qword ptr [{self._pair_address(area, block, lane, pair)}]"]
            lines += [f"sha256rnds2 {y}, {x}, xmm0"]
            x, y = y, x
            if pair == PAIRS - 1:
                lines += self._end(area, block, lane, x, y)
            elif position == end - 1:
                lines += [f"movdqa [{self.saved} + {32 * (number + 1) + 16 * i}], {r}" for i, r in enumerate((x, y))]
            yield lines

    def _pair_address(self, area: str, block: int, lane: int, pair: int) -> str:
        words = self.words_plus_k[block][2 * pair : 2 * pair + 2]
        if max(node.time for node in words) is Time.NONCE:
            return f"{area if block else R} + {self.layout.row(pair + 1) + self.layout.lane_in_row(lane)}"
        return self.tables.address(*map(self._early, words))

    def _early(self, node: Node) -> Early:
        value = Lowering(AssemblyTarget(self.tables, {}), [node]).run().value(node)
        assert isinstance(value, Early)
        return value

    def _begin(self, block: int, lane: int, abef: str, cdgh: str) -> list[str]:
        """Load the state after the linear rounds: early words, with the late word added to a and e."""
        parts = [early_and_late(self.graph, node) for node in self.starts[block]]
        if [index for index, (_, late) in enumerate(parts) if late] != [0, 4]:
            raise ValueError("linear rounds: expected the late word in a and e only")
        early = [self._early(node) for node, _ in parts]
        late = self.layout.row(0) + self.layout.lane_in_row(lane)
        return [
            f"movdqa {cdgh}, [{self.tables.address(*(early[i] for i in CDGH), align=4)}]",
            f"movddup {abef}, qword ptr [{P if block else R} + {late}]",  # (0, late, 0, late)
            f"paddd {abef}, [{self.tables.address(*(early[i] for i in ABEF), align=4)}]",
        ]

    def _end(self, area: str, block: int, lane: int, abef: str, cdgh: str) -> list[str]:
        """Store the digest of the first block, or the word e of the second."""
        if block == 1:
            return [f"pextrd dword ptr [{area} + {self.layout.results + 4 * lane}], {abef}, 1"]
        midstate = [Early("input", (), name) for name in MIDSTATE_INPUTS]
        lines = []
        for half, (register, order) in enumerate(((abef, ABEF), (cdgh, CDGH))):
            offset = self.layout.digest(half) + self.layout.lane_in_digest(lane)
            lines += [f"paddd {register}, [{self.tables.address(*(midstate[i] for i in order), align=4)}]"]
            lines += [f"movdqa [{area} + {offset}], {register}"]
        return lines

"""The assembly of one step of a software pipeline: vectors make message schedules, SHA instructions do the rounds.

A step works on four batches of neighbouring nonces at once, each in another stage:

    schedule 1 of batch i + 1 | rounds 1 of batch i | schedule 2 of batch i - 1 | rounds 2 of batch i - 2

No stage waits for another one in the same step, so that both kinds of port are always busy. A stage passes its results
on through scratch areas: schedule 1 through R and S, the others through P and Q. P and Q are swapped after every step.

With several midstates, a batch is eight or sixteen nonces with one of them, and one schedule 1 serves as many batches
as there are midstates. Each of these steps does an equal part of it, and R and S are swapped after the last. The parts
run the same code: it reads sixteen words of the schedule from memory and appends the next ones.

Schedules, linear rounds and whole vector hashes all come from `kernels.sha256.description` through the graph.
`pipeline_step` compiles this text.
"""

from collections.abc import Iterator
from itertools import islice, pairwise, zip_longest

from kernels.scan_cpu.codegen.assembly import Instruction, Memory, RegisterAllocator, Value, advance_last_uses, merge
from kernels.scan_cpu.codegen.assembly_target import AssemblyTarget
from kernels.scan_cpu.codegen.early import Early, EarlyTable, EarlyTables, constant
from kernels.scan_cpu.codegen.pipeline_layout import (
    CONSTANTS,
    EXTRA_NONCES,
    MIDSTATE,
    NONCE,
    PAIRS,
    PART,
    TABLE,
    TABLE_BIAS,
    Layout,
    P,
    Program,
    Q,
    R,
    S,
    Shape,
)
from kernels.sha256.description import INITIAL_STATE, K, digest_block, rounds, schedule, tail_block
from kernels.sha256.graph import Graph, Lowering, Node, Time, early_and_late
from kernels.sha256.scan_graph import MIDSTATE_INPUTS, TAIL_INPUTS, scan_graph

# The SHA instructions' legacy encoding keeps the upper halves of ymm0 to ymm15. If these are dirty, a Zen 4 core takes
# twice the time: 157 cycles a hash instead of 74.
_CLEAN = "vzeroupper"
FIRST_ROUND = (4, 1)
ABEF, CDGH = (5, 4, 1, 0), (7, 6, 3, 2)  # the SHA instructions' order of the state words


def _runs(instructions: list[Instruction], length: int) -> list[list[Instruction]]:
    return [instructions[start : start + length] for start in range(0, len(instructions), length)]


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
        self.shape, self.midstates, self.layout, self.graph = shape, midstates, Layout(shape.lanes), Graph()
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
        self.lane_offsets = self.tables.address(*(constant(lane << 24) for lane in range(shape.lanes)), align=16)
        self.constants = self.tables.job.index(*map(constant, K[16:]))
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
        vectors: list[Instruction] = []
        for block in (0, 1):
            vectors += self._schedule(block) if block or self.midstates == 1 else self._part_of_schedule()
            for index in range(block, self.shape.vector_hashes, 2):
                vectors += advance_last_uses(self._vector_hash(index))
        code = merge(_runs(self._rounds(), self.shape.run), _runs(vectors, 1)) + self._test()
        table_bytes = -(-4 * len(self.tables.job.words) // 64) * 64
        spill = f"{TABLE} + {table_bytes - TABLE_BIAS}"
        allocator = RegisterAllocator(self.shape.register, self.shape.lanes, spill)
        lines = [".intel_syntax noprefix", _CLEAN, "xor eax, eax", *allocator.assemble(code), ".att_syntax"]
        spill_bytes = allocator.slots * 4 * self.shape.lanes
        rows_bytes = self.layout.word(0 if self.midstates == 1 else 64)
        return Program("\n".join(lines), self.tables, table_bytes + spill_bytes, self.layout.end, rows_bytes)

    def _words_plus_k(self, block: int) -> list[Node]:
        words = enumerate(schedule(self.graph, self.blocks[block]))
        sums = [self.graph.add(word, self.graph.constant(K[index])) for index, word in words]
        return sums[FIRST_ROUND[block] :][: 2 * PAIRS]

    # --- vectors: message schedules and whole hashes ---

    def _nonce_words(self, target: AssemblyTarget, register: str) -> Value:
        everywhere = Value()
        target.code.append(Instruction("vpbroadcastd", everywhere, immediate=register))
        return target.emit("vpaddd", everywhere, Memory(self.lane_offsets))

    def _schedule(self, block: int) -> list[Instruction]:
        """Write K + W of a block's 60 rounds and its late first word as rows of pairs into S or Q."""
        target = AssemblyTarget(self.tables, {}, self.shape.spared_ternary)
        inputs = {"late": self._nonce_words(target, NONCE)} if block == 0 else self._digests(target)
        target.inputs = inputs
        area = Q if block else S
        self._store_row(target, area, 0, constant(0), inputs["digest0" if block else "late"])
        words = self.words_plus_k[block]
        rows = [(pair, words[2 * pair : 2 * pair + 2]) for pair in range(PAIRS)]
        rows = [row for row in rows if max(node.time for node in row[1]) is Time.NONCE]
        lowering = Lowering(target, [node for _, row in rows for node in row])
        for _ in lowering.steps():
            while rows and all(lowering.emitted(node) for node in rows[0][1]):
                pair, row = rows.pop(0)
                self._store_row(target, area, pair + 1, *map(lowering.value, row))
        return target.code

    def _part_of_schedule(self) -> list[Instruction]:
        """Append words to schedule 1 in S, and the rows of their rounds."""
        count, graph = 48 // self.midstates, self.graph
        target = AssemblyTarget(self.tables, {}, self.shape.spared_ternary)
        late = self._nonce_words(target, NONCE)
        self._store_row(target, S, 0, constant(0), late)
        target.store(late, f"{S} + {self.layout.word(3)}")
        memory = {f"word{i}": Memory(f"{PART} + {self.layout.word(i)}") for i in range(16)}
        memory |= {f"k{i}": Memory(f"{CONSTANTS} + {4 * i}", broadcast=True) for i in range(count)}
        target.inputs = memory
        window = [graph.input(f"word{i}", Time.NONCE) for i in range(16)]
        words = list(islice(schedule(graph, window), 16, 16 + count))
        sums = [graph.add(word, graph.input(f"k{i}", Time.NONCE)) for i, word in enumerate(words)]
        lowering = Lowering(target, [*words, *sums])
        waiting = list(enumerate(words))
        for _ in lowering.steps():
            while waiting and lowering.emitted(waiting[0][1]) and lowering.emitted(sums[waiting[0][0]]):
                index, word = waiting.pop(0)
                target.store(lowering.value(word), f"{PART} + {self.layout.word(16 + index)}")
                if index % 2:
                    row = (16 + index - FIRST_ROUND[0]) // 2 + 1
                    self._store_row(target, PART, row, *map(lowering.value, sums[index - 1 : index + 1]))
        return target.code

    def _store_row(self, target: AssemblyTarget, area: str, row: int, x: Value | Early, y: Value | Early) -> None:
        for half, unpack in enumerate(("vpunpckldq", "vpunpckhdq")):
            offset = self.layout.row(row) + half * self.layout.vector
            target.store(target.emit(unpack, x, y), f"{area} + {offset}")

    def _digests(self, target: AssemblyTarget) -> dict[str, Value]:
        """Read the first block's digests from Q and transpose them: one vector a word, one lane a nonce."""
        words = {}
        for half, order in enumerate((ABEF, CDGH)):
            quarter = [Memory(f"{Q} + {self.layout.digest(half) + j * self.layout.vector}") for j in range(4)]
            for unpack, words_at in (("vpunpckldq", order[:2]), ("vpunpckhdq", order[2:])):
                left, right = target.emit(unpack, *quarter[:2]), target.emit(unpack, *quarter[2:])
                words[f"digest{words_at[0]}"] = target.emit("vpunpcklqdq", left, right)
                words[f"digest{words_at[1]}"] = target.emit("vpunpckhqdq", left, right)
        return words

    def _vector_hash(self, index: int) -> list[Instruction]:
        """Hash a batch on vectors alone and put its bits into rax above those of the pipeline."""
        target = AssemblyTarget(self.tables, {}, self.shape.spared_ternary)
        target.inputs = {"nonce_word": self._nonce_words(target, EXTRA_NONCES[index])}
        last = scan_graph(self.graph).last_word
        word = Lowering(target, [last]).run().value(last)
        return target.code + self._zero_test(target, word, self.shape.lanes * (index + 1))

    def _test(self) -> list[Instruction]:
        """Test the words that round 60 left in Q: e of round 60 is h of round 63."""
        target = AssemblyTarget(self.tables, {})
        results = Memory(f"{Q} + {self.layout.results}")
        word = target.emit("vpaddd", results, constant(INITIAL_STATE[7]))
        return target.code + self._zero_test(target, word, 0)

    def _zero_test(self, target: AssemblyTarget, word: Value, shift: int) -> list[Instruction]:
        operands = target.operands([word, Early("input", (), "mask")])
        moves = ("kmovw r10d, k1", f"shl r10, {shift}", "or rax, r10")
        return [Instruction("vptestnmd k1,", None, operands), *map(Instruction, moves)]

    # --- SHA instructions: the rounds ---

    def _rounds(self) -> list[Instruction]:
        """Return the instructions of the chains, one turn of each chain after the other."""
        tasks, borders = self._tasks(), self._borders()
        flights = [list(self._chain(chain, tasks, *ends)) for chain, ends in enumerate(pairwise(borders))]
        return [Instruction(line) for turn in zip_longest(*flights, fillvalue=[]) for lines in turn for line in lines]

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

    def _chain(self, chain: int, tasks: list[tuple[int, int]], start: int, end: int) -> Iterator[list[str]]:
        """Yield the lines of each turn of a chain: a round pair, with the loads and stores of a task's start or end."""
        x, y = f"xmm{1 + 2 * chain}", f"xmm{2 + 2 * chain}"
        old, new = Q, P  # the batch of a task that the last step began is in Q now
        area = old
        for position in range(start, end):
            (block, lane), pair = tasks[position // PAIRS], position % PAIRS
            lines = []
            if pair == 0:
                area = new
                lines += self._begin(block, lane, x, y)
            elif position == start:
                lines += [f"movdqa {r}, [{self.saved} + {32 * chain + 16 * i}]" for i, r in enumerate((x, y))]
            lines += [f"movq xmm0, qword ptr [{self._pair_address(area, block, lane, pair)}]"]
            lines += [f"sha256rnds2 {y}, {x}, xmm0"]
            x, y = y, x
            if pair == PAIRS - 1:
                lines += self._end(area, block, lane, x, y)
            elif position == end - 1:
                lines += [f"movdqa [{self.saved} + {32 * (chain + 1) + 16 * i}], {r}" for i, r in enumerate((x, y))]
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

"""The vector stages of a pipeline's step: message schedules for the SHA instructions, and hashes on vectors alone."""

from itertools import islice

from kernels.scan_cpu.codegen.assembly import Instruction, Memory, Value, advance_last_uses, keep_apart
from kernels.scan_cpu.codegen.assembly_target import AssemblyTarget
from kernels.scan_cpu.codegen.early import Early, EarlyTables, constant
from kernels.scan_cpu.codegen.pipeline_layout import (
    ABEF,
    CDGH,
    CONSTANTS,
    EXTRA_NONCES,
    FIRST_ROUND,
    NONCE,
    PAIRS,
    PART,
    Layout,
    Q,
    R,
    S,
    Shape,
)
from kernels.sha256.description import INITIAL_STATE, K, schedule
from kernels.sha256.graph import Graph, Lowering, Node, Time
from kernels.sha256.scan_graph import rolled_scan_graph, scan_graph


class VectorStages:
    """The writer of the vector instructions of a step.

    Parameters
    ----------
    shape
        Dimensions of the pipeline.
    midstates
        Midstates that share a schedule: 1, 2, 4 or 8.
    graph
        Graph of `words_plus_k`, with the inputs `late` and `digest0` to `digest7`.
    words_plus_k
        Of each block, K + W of the 60 rounds that the SHA instructions do.
    tables
        Words that are known before the nonce.
    """

    def __init__(
        self, shape: Shape, midstates: int, graph: Graph, words_plus_k: list[list[Node]], tables: EarlyTables
    ) -> None:
        self._shape, self._midstates, self._graph, self._tables = shape, midstates, graph, tables
        self._words_plus_k = words_plus_k
        self._layout = Layout(shape)
        self._lane_offsets = tables.address(*(constant(lane << 24) for lane in range(shape.lanes)), align=16)
        self.constants = tables.job.index(*map(constant, K[16:]))

    def program(self) -> list[Instruction]:
        """Return all stages: a part of the whole hashes follows each of the two schedules."""
        code: list[Instruction] = []
        for block in (0, 1):
            rolled = block == 0 and self._midstates > 1
            code += self._part_of_schedule(0) if rolled else self._schedule(block)
            for batch in range(1 + block, 1 + self._shape.vector_hashes, 2):
                code += self._part_of_schedule(batch) if self._midstates > 1 else []
                code += advance_last_uses(self._hash(batch))
        return keep_apart(code, self._shape.distance) if self._shape.distance else code

    def test(self) -> list[Instruction]:
        """Test the words that round 60 left in Q: e of round 60 is h of round 63."""
        target = self._target({})
        word = target.emit("vpaddd", Memory(f"{Q} + {self._layout.results}"), constant(INITIAL_STATE[7]))
        return target.code + self._zero_test(target, word, 0)

    def _target(self, inputs: dict[str, Value | Memory]) -> AssemblyTarget:
        return AssemblyTarget(self._tables, inputs, ternary=self._shape.ternary)

    def _nonce_words(self, target: AssemblyTarget, batch: int) -> Value:
        everywhere = Value()
        register = (NONCE, *EXTRA_NONCES)[batch]
        target.code.append(Instruction("vpbroadcastd", everywhere, immediate=register))
        return target.emit("vpaddd", everywhere, Memory(self._lane_offsets))

    def _schedule(self, block: int) -> list[Instruction]:
        """Write K + W of a block's 60 rounds and its late first word as rows of pairs into S or Q."""
        target = self._target({})
        inputs = {"late": self._nonce_words(target, 0)} if block == 0 else self._digests(target)
        target.inputs = {**inputs}
        area = Q if block else S
        self._store_row(target, area, 0, constant(0), inputs["digest0" if block else "late"])
        words = self._words_plus_k[block]
        rows = [(pair, words[2 * pair : 2 * pair + 2]) for pair in range(PAIRS)]
        rows = [row for row in rows if max(node.time for node in row[1]) is Time.NONCE]
        lowering = Lowering(target, [node for _, row in rows for node in row])
        for _ in lowering.steps():
            while rows and all(lowering.emitted(node) for node in rows[0][1]):
                pair, row = rows.pop(0)
                self._store_row(target, area, pair + 1, *map(lowering.value, row))
        return target.code

    def _part_of_schedule(self, batch: int) -> list[Instruction]:
        """Append words to schedule 1 of a batch in S, and K + W for its rounds: rows of pairs for batch 0."""
        count, graph, layout = 48 // self._midstates, self._graph, self._layout
        target = self._target({})
        late = self._nonce_words(target, batch)
        target.store(late, f"{S} + {layout.word(batch, 3)}")
        if batch == 0:
            self._store_row(target, S, 0, constant(0), late)
        else:
            target.store(late, f"{S} + {layout.nonce_words(batch)}")
        memory = {f"word{i}": Memory(f"{PART} + {layout.word(batch, i)}") for i in range(16)}
        memory |= {f"k{i}": Memory(f"{CONSTANTS} + {4 * i}", broadcast=True) for i in range(count)}
        target.inputs = memory
        window = [graph.input(f"word{i}", Time.NONCE) for i in range(16)]
        words, sums = [], []
        for i, word in enumerate(islice(schedule(graph, window), 16, 16 + count)):
            words.append(word)
            sums.append(graph.add(word, graph.input(f"k{i}", Time.NONCE)))
        lowering = Lowering(target, [*words, *sums])
        waiting = list(enumerate(zip(words, sums, strict=True), 16))
        for _ in lowering.steps():
            while waiting and all(map(lowering.emitted, waiting[0][1])):
                index, (word, total) = waiting.pop(0)
                target.store(lowering.value(word), f"{PART} + {layout.word(batch, index)}")
                if batch > 0:
                    target.store(lowering.value(total), f"{PART} + {layout.word_plus_k(batch, index)}")
                elif index % 2:
                    row = (index - FIRST_ROUND[0]) // 2 + 1
                    self._store_row(target, PART, row, *map(lowering.value, sums[index - 17 : index - 15]))
        return target.code

    def _store_row(self, target: AssemblyTarget, area: str, row: int, x: Value | Early, y: Value | Early) -> None:
        for half, unpack in enumerate(("vpunpckldq", "vpunpckhdq")):
            offset = self._layout.row(row) + half * self._layout.vector
            target.store(target.emit(unpack, x, y), f"{area} + {offset}")

    def _digests(self, target: AssemblyTarget) -> dict[str, Value]:
        """Read the first block's digests from Q and transpose them: one vector a word, one lane a nonce."""
        words = {}
        for half, order in enumerate((ABEF, CDGH)):
            quarter = [Memory(f"{Q} + {self._layout.digest(half) + j * self._layout.vector}") for j in range(4)]
            for unpack, words_at in (("vpunpckldq", order[:2]), ("vpunpckhdq", order[2:])):
                left, right = target.emit(unpack, *quarter[:2]), target.emit(unpack, *quarter[2:])
                words[f"digest{words_at[0]}"] = target.emit("vpunpcklqdq", left, right)
                words[f"digest{words_at[1]}"] = target.emit("vpunpckhqdq", left, right)
        return words

    def _hash(self, batch: int) -> list[Instruction]:
        """Hash a batch on vectors alone and put its bits into rax above those of the batches before."""
        target = self._target({})
        if self._midstates == 1:
            target.inputs = {"nonce_word": self._nonce_words(target, batch)}
            last = scan_graph(self._graph).last_word
        else:
            scan = rolled_scan_graph(Graph())  # emitted in its own order, with each schedule word next to its round
            rows = {f"row{i}": Memory(f"{R} + {self._layout.word_plus_k(batch, i)}") for i in scan.rows}
            target.inputs = {"nonce_word": Memory(f"{R} + {self._layout.nonce_words(batch)}"), **rows}
            first = Lowering(target, scan.digest).run()
            target.inputs = {f"digest{i}": first.value(node) for i, node in enumerate(scan.digest)}
            last = scan.last_word
        word = Lowering(target, [last]).run().value(last)
        return target.code + self._zero_test(target, word, self._shape.lanes * batch)

    def _zero_test(self, target: AssemblyTarget, word: Value, shift: int) -> list[Instruction]:
        operands = target.operands([word, Early("input", (), "mask")])
        moves = ("kmovw r10d, k1", f"shl r10, {shift}", "or rax, r10")
        return [Instruction("vptestnmd k1,", None, operands), *map(Instruction, moves)]

"""The scan of several midstates on 1, 8 or 16 lanes as Numba intrinsics: a schedule, then one hash a midstate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir

from kernels.compiler import intrinsic, types
from kernels.scan_cpu.codegen.early import Early, EarlyTable, EarlyTables, constant, store_words
from kernels.scan_cpu.codegen.lanes_step import JOB_TYPE, job_values, nonce_words, zero_lanes
from kernels.scan_cpu.codegen.lanes_target import I32, LaneTarget
from kernels.sha256.graph import Graph, Lowering, Time
from kernels.sha256.scan_graph import rolled_scan_graph

I64 = ir.IntType(64)
MIDSTATES = 8  # the most that a job may have
_MASK = Early("input", (), "mask")
_LATE = Early("late")


class Addresses(NamedTuple):
    """Pointers into the memory of a scan."""

    job: ir.Value  # words of the job
    midstate: ir.Value  # words of one midstate
    rows: ir.Value  # vectors: the nonce word, then the schedule words + K


class _Collector:
    """A target that notes the early words that a graph reads."""

    def __init__(self, tables: EarlyTables) -> None:
        self._tables = tables

    def input(self, name: str) -> Early:
        """Return the early word of an input, or a word of the nonce."""
        return _LATE if name.startswith(("nonce_word", "row", "digest")) else Early("input", (), name)

    def constant(self, value: int) -> Early:
        """Return the early word of a number."""
        return constant(value)

    def apply(self, operation: str, time: Time, arguments: list[Early], immediate: int) -> Early:
        """Note the early operands of an operation per nonce; return the early word of any other."""
        if time is not Time.NONCE:
            return Early(operation, tuple(arguments), immediate)
        for word in arguments:
            if word.operation not in {"constant", "late"}:
                self._tables.of(word).index(word)
        return _LATE


class _TableTarget(LaneTarget):
    """A target that reads the words known before the nonce from tables, and the schedule from rows.

    It reads a word where an operation needs it: LLVM keeps the order of loads and would keep all of them in registers.
    """

    def __init__(
        self, builder: ir.IRBuilder, scan: RolledLanes, addresses: Addresses, inputs: dict[str, ir.Value]
    ) -> None:
        super().__init__(builder, scan.lanes, inputs, ternary=scan.ternary)
        self._scan, self._addresses = scan, addresses

    def input(self, name: str) -> Any:
        """Return the vector of a nonce's input, the row that holds it, or the early word of a job's input."""
        if name in self._inputs:
            return self._inputs[name]
        return Early("row", (), self._scan.row_of[name]) if name in self._scan.row_of else Early("input", (), name)

    def constant(self, value: int) -> Any:
        """Return the early word of a number."""
        return constant(value)

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> Any:
        """Emit an operation per nonce; return the early word of any other."""
        if time is Time.NONCE:
            return super().apply(operation, time, arguments, immediate)
        return Early(operation, tuple(arguments), immediate)

    def broadcast(self, value: Any) -> ir.Value:
        """Return a vector with an early word in every lane, the vector of a row, or the vector itself."""
        if not isinstance(value, Early):
            return super().broadcast(value)
        if value.operation == "constant":
            return super().broadcast(ir.Constant(I32, int(value.immediate)))
        if value.operation == "row":
            return self.builder.load(self.builder.gep(self._addresses.rows, [I32(int(value.immediate))]))
        start = self._addresses.midstate if value.of_midstate else self._addresses.job
        index = self._scan.tables.of(value).index(value)
        return super().broadcast(self.builder.load(self.builder.gep(start, [I32(index)])))


class RolledLanes:
    """The scan of several midstates on some lanes: its graph and the layout of its memory [byte].

    Parameters
    ----------
    lanes
        Nonces at a time: 1, 8 or 16.
    ternary
        Whether to use AVX-512's three-way logic.
    """

    def __init__(self, lanes: int, *, ternary: bool) -> None:
        self.lanes, self.ternary = lanes, ternary
        self.graph = rolled_scan_graph(Graph())
        self.tables = EarlyTables(EarlyTable(""), EarlyTable(""))
        for roots in (list(self.graph.rows.values()), self.graph.digest, [self.graph.last_word]):
            Lowering(_Collector(self.tables), roots).run()
        self.tables.job.index(_MASK)
        names = ["nonce_word", *(f"row{index}" for index in self.graph.rows), *(f"digest{index}" for index in range(8))]
        self.row_of = {name: row for row, name in enumerate(names)}
        self.rows = -(-4 * len(self.tables.job.words) // 64) * 64  # offset of the nonce word and the rows after it
        self.midstates = self.rows + 4 * lanes * len(names)
        self.midstate_bytes = -(-4 * len(self.tables.midstate.words) // 64) * 64
        self.end = self.midstates + MIDSTATES * self.midstate_bytes

    def prepare(self, _context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        """Emit the preparation of the memory from a job tuple; its address is valid until the caller returns."""
        inputs, mask = job_values(builder, arguments[0])
        with builder.goto_entry_block():
            memory = builder.alloca(ir.ArrayType(ir.IntType(8), self.end))
        memory.align = 64
        table = builder.bitcast(memory, I32.as_pointer())
        store_words(builder, self.tables.job.words, {**inputs, "mask": mask}, table)
        return builder.ptrtoint(memory, I64)

    def prepare_midstate(
        self, _context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]
    ) -> ir.Value:
        """Emit the preparation of one midstate from a job tuple, the memory and the midstate's index."""
        job, memory, index = arguments
        inputs, _ = job_values(builder, job)
        store_words(builder, self.tables.midstate.words, inputs, self._addresses(builder, memory, index).midstate)
        return memory

    def schedule(self, _context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        """Emit the schedule of the nonces from a base nonce on."""
        memory, base = arguments
        nonce_word = nonce_words(builder, base, self.lanes)
        addresses = self._addresses(builder, memory, I32(0))
        target = _TableTarget(builder, self, addresses, {"nonce_word": nonce_word})
        lowering = Lowering(target, self.graph.rows.values()).run()
        for index, word in enumerate([nonce_word, *map(lowering.value, self.graph.rows.values())]):
            builder.store(word, builder.gep(addresses.rows, [I32(index)]))
        return memory

    def hash(self, _context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        """Emit both hashes of the scheduled nonces with one midstate; the result has a bit for each candidate."""
        addresses = self._addresses(builder, *arguments)
        first = Lowering(_TableTarget(builder, self, addresses, {}), self.graph.digest).run()
        digest = {f"digest{index}": first.value(node) for index, node in enumerate(self.graph.digest)}
        second = Lowering(_TableTarget(builder, self, addresses, digest), [self.graph.last_word]).run()
        return self._candidates(builder, addresses, second)

    def hash_in_turns(
        self, _context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]
    ) -> ir.Value:
        """Emit the first hash of the scheduled nonces with one midstate, and the second hash of those before.

        The two are independent of each other, so that one fills the gaps of the other, if the registers hold both. The
        result has a bit for each candidate of those before.
        """
        addresses = self._addresses(builder, *arguments)
        target = _TableTarget(builder, self, addresses, {})
        first, second = Lowering(target, self.graph.digest), Lowering(target, [self.graph.last_word])
        _interleave(first.steps(), second.steps())
        for index, node in enumerate(self.graph.digest):
            row = self.row_of[f"digest{index}"]
            builder.store(target.broadcast(first.value(node)), builder.gep(addresses.rows, [I32(row)]))
        return self._candidates(builder, addresses, second)

    def _candidates(self, builder: ir.IRBuilder, addresses: Addresses, second: Lowering) -> ir.Value:
        mask = builder.load(builder.gep(addresses.job, [I32(self.tables.job.index(_MASK))]))
        return zero_lanes(builder, second.value(self.graph.last_word), mask, self.lanes)

    def _addresses(self, builder: ir.IRBuilder, memory: ir.Value, midstate: ir.Value) -> Addresses:
        word = LaneTarget(builder, self.lanes, {}).word

        def pointer(address: ir.Value, kind: ir.Type) -> ir.Value:
            return builder.inttoptr(address, kind.as_pointer())

        table = builder.add(builder.add(memory, I64(self.midstates)), self._midstate_offset(builder, midstate))
        rows = builder.add(memory, I64(self.rows))
        return Addresses(pointer(memory, I32), pointer(table, I32), pointer(rows, word))

    def _midstate_offset(self, builder: ir.IRBuilder, index: ir.Value) -> ir.Value:
        return builder.mul(builder.zext(index, I64), I64(self.midstate_bytes))


def _interleave(first: Iterator[Any], second: Iterator[Any]) -> None:
    """Advance two generators in turn to their ends, the second four steps for every three of the first."""
    done = object()
    pending = [(first, 3), (second, 4)]
    while pending:
        pending = [
            (steps, count) for steps, count in pending if all(next(steps, done) is not done for _ in range(count))
        ]


@cache
def rolled_lanes(lanes: int) -> RolledLanes:
    """Return the scan on 1, 8 or 16 lanes."""
    return RolledLanes(lanes, ternary=lanes == 16)


PREPARE_SIGNATURE = types.uint64(JOB_TYPE)
MIDSTATE_SIGNATURE = types.uint64(JOB_TYPE, types.uint64, types.uint32)
SCHEDULE_SIGNATURE = types.uint64(types.uint64, types.uint32)
HASH_SIGNATURE = types.uint32(types.uint64, types.uint32)


@intrinsic
def prepare_scalar(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `scalar`."""
    return PREPARE_SIGNATURE, rolled_lanes(1).prepare


@intrinsic
def prepare_midstate_scalar(_typing: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `scalar` and return its address."""
    return MIDSTATE_SIGNATURE, rolled_lanes(1).prepare_midstate


@intrinsic
def schedule_scalar(_typing: Any, _memory: Any, _base: Any) -> Any:
    """Compute the schedule of one nonce in the memory and return its address."""
    return SCHEDULE_SIGNATURE, rolled_lanes(1).schedule


@intrinsic
def hash_scalar(_typing: Any, _memory: Any, _index: Any) -> Any:
    """Test the scheduled nonce with one midstate."""
    return HASH_SIGNATURE, rolled_lanes(1).hash


@intrinsic
def prepare_lanes8(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `lanes8`."""
    return PREPARE_SIGNATURE, rolled_lanes(8).prepare


@intrinsic
def prepare_midstate_lanes8(_typing: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `lanes8` and return its address."""
    return MIDSTATE_SIGNATURE, rolled_lanes(8).prepare_midstate


@intrinsic
def schedule_lanes8(_typing: Any, _memory: Any, _base: Any) -> Any:
    """Compute the schedule of eight nonces in the memory and return its address."""
    return SCHEDULE_SIGNATURE, rolled_lanes(8).schedule


@intrinsic
def hash_lanes8(_typing: Any, _memory: Any, _index: Any) -> Any:
    """Test the scheduled nonces with one midstate."""
    return HASH_SIGNATURE, rolled_lanes(8).hash


@intrinsic
def prepare_lanes16(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `lanes16`."""
    return PREPARE_SIGNATURE, rolled_lanes(16).prepare


@intrinsic
def prepare_midstate_lanes16(_typing: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `lanes16` and return its address."""
    return MIDSTATE_SIGNATURE, rolled_lanes(16).prepare_midstate


@intrinsic
def schedule_lanes16(_typing: Any, _memory: Any, _base: Any) -> Any:
    """Compute the schedule of sixteen nonces in the memory and return its address."""
    return SCHEDULE_SIGNATURE, rolled_lanes(16).schedule


@intrinsic
def hash_lanes16(_typing: Any, _memory: Any, _index: Any) -> Any:
    """Test the nonces and the midstate of the call before, and begin the scheduled nonces with one midstate."""
    return HASH_SIGNATURE, rolled_lanes(16).hash_in_turns

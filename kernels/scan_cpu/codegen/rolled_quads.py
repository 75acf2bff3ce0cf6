"""The scan of several midstates on the CPU's SHA instructions as Numba intrinsics, four hashes in flight.

A step takes in two nonces. With k midstates it has 2 k hashes: hash s is that of nonce s // k with midstate s % k. A
turn does four of them, and meanwhile an equal part of the schedules of the next two nonces.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import cache
from typing import Any

from llvmlite import ir

from kernels.compiler import intrinsic, types
from kernels.scan_cpu.codegen.early import Early, EarlyTable, EarlyTables, early_words, store_words
from kernels.scan_cpu.codegen.lanes_step import JOB_TYPE, job_values
from kernels.scan_cpu.codegen.lanes_target import I32, declare
from kernels.scan_cpu.codegen.quads_step import FIRST_START, QUADS_OF_ROUNDS, STREAMS, QuadScan, interleave
from kernels.scan_cpu.codegen.sha_target import QUAD, ZERO, ArmSha, QuadMachine, X86Sha
from kernels.sha256.description import K
from kernels.sha256.graph import Node, Time

I64 = ir.IntType(64)
NONCES = 2
MIDSTATES = 8  # the most that a job may have
_KNOWN = 3  # quads of K + W of the first block that consist of padding
CHANGING = QUADS_OF_ROUNDS - _KNOWN  # quads that the nonce changes
_MASK = Early("input", (), "mask")
_QUAD_BYTES = 16
_WINDOW = 1 + CHANGING  # quads before the schedule in the area of a nonce: the nonce's quad, and the rows of K + W
AREA_BYTES = _QUAD_BYTES * (_WINDOW + 4 + CHANGING)


class _RolledQuadScan(QuadScan):
    """A scan that reads words of the job and of a midstate from tables."""

    def __init__(self, builder: ir.IRBuilder, scan: RolledQuads, memory: ir.Value, midstate: ir.Value) -> None:
        super().__init__(builder, scan.machine(builder), {})
        self._tables = scan.tables
        offset = builder.mul(midstate, I64(scan.midstate_bytes))
        self._starts = (memory, builder.add(builder.add(memory, I64(scan.midstates)), offset))

    def early_quad(self, nodes: Sequence[Node]) -> ir.Value:
        """Return a quad of words that are known before the nonce."""
        if all(node.time is Time.CONSTANT for node in nodes):
            return ir.Constant(QUAD, [int(node.immediate) for node in nodes])
        words = early_words(nodes)
        table = self._tables.of(*words)
        start = self._starts[table is self._tables.midstate]
        return load(self.builder, start, 4 * table.index(*words, align=4))

    def enter(self, area: ir.Value, nonce_word: ir.Value) -> None:
        """Store the first four quads of a nonce's schedule."""
        lone = self.builder.insert_element(ZERO, nonce_word, I32(0))
        store(self.builder, lone, area, 0)
        for quad in range(_KNOWN + 1):
            words = self.linear(self.words[4 * quad : 4 * quad + 4], lone, 0)
            store(self.builder, words, area, _QUAD_BYTES * (_WINDOW + quad))

    def schedule(self, area: ir.Value, first: ir.Value, count: int) -> Generator[None, None, None]:
        """Append quads of the schedule, `first` to first + count - 1, and the rows of their rounds.

        The code is the same for every `first`: it reads the four quads before from memory.
        """
        start = self.builder.mul(first, I64(_QUAD_BYTES))
        near, constants = self.builder.add(area, start), self.builder.add(self._starts[0], start)
        quads = [load(self.builder, near, _QUAD_BYTES * (_WINDOW + quad)) for quad in range(4)]
        table = self._tables.job.index(*(Early("constant", (), k) for k in K[16:]), align=4)
        for index in range(count):
            quad = self.machine.next_quad(quads)
            quads = [*quads[1:], quad]
            row = self.builder.add(quad, load(self.builder, constants, 4 * table + _QUAD_BYTES * index))
            store(self.builder, quad, near, _QUAD_BYTES * (_WINDOW + 4 + index))
            store(self.builder, row, near, _QUAD_BYTES * (1 + index))
            yield

    def hash(self, rows: ir.Value) -> Generator[None, None, ir.Value]:
        """Emit the hash of a scheduled nonce, yield after every four rounds, and return the last word."""
        lone = load(self.builder, rows, 0)
        state = self.state_after(self.midstate, self.words[:FIRST_START], lone, 0)
        padding = [
            self.early_quad([self.graph.add(self.words[i], self.graph.constant(K[i])) for i in range(first, first + 4)])
            for first in range(FIRST_START, FIRST_START + 4 * _KNOWN, 4)
        ]
        changing = (load(self.builder, rows, _QUAD_BYTES * row) for row in range(1, _WINDOW))
        state = yield from self.sixty_rounds(state, (sums for part in (padding, changing) for sums in part))
        return (yield from self.second_block(state))


def store(builder: ir.IRBuilder, quad: ir.Value, start: ir.Value, offset: int) -> None:
    """Emit the store of a quad at an address."""
    builder.store(quad, builder.inttoptr(builder.add(start, I64(offset)), QUAD.as_pointer()))


def load(builder: ir.IRBuilder, start: ir.Value, offset: int) -> ir.Value:
    """Emit the load of a quad at an address."""
    return builder.load(builder.inttoptr(builder.add(start, I64(offset)), QUAD.as_pointer()))


class RolledQuads:
    """The scan of several midstates on SHA instructions: its tables and the layout of its memory [byte]."""

    def __init__(self, machine: Callable[[ir.IRBuilder], QuadMachine]) -> None:
        self.machine = machine
        self.tables = EarlyTables(EarlyTable(""), EarlyTable(""))
        self.rows = self.midstates = self.midstate_bytes = 0
        self._fill_tables()
        self.rows = -(-4 * len(self.tables.job.words) // 64) * 64
        self.midstates = self.rows + 2 * NONCES * AREA_BYTES
        self.midstate_bytes = -(-4 * len(self.tables.midstate.words) // 64) * 64
        self.end = self.midstates + MIDSTATES * self.midstate_bytes

    def _fill_tables(self) -> None:
        """Emit the scan once into nothing, which notes the words that it reads."""
        function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), []), "dry")
        builder = ir.IRBuilder(function.append_basic_block())
        scan = _RolledQuadScan(builder, self, I64(0), I64(0))
        scan.enter(I64(0), I32(0))
        interleave([scan.hash(I64(0)), scan.schedule(I64(0), I64(0), CHANGING)])
        self.tables.job.index(_MASK)

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
        offset = builder.mul(builder.zext(index, I64), I64(self.midstate_bytes))
        table = builder.add(builder.add(memory, I64(self.midstates)), offset)
        store_words(builder, self.tables.midstate.words, inputs, builder.inttoptr(table, I32.as_pointer()))
        return memory

    def turn(self, midstates: int) -> Callable[..., Any]:
        """Return the code generator of a turn: four hashes, and an equal part of the schedules of the next nonces.

        The generated function takes the jobs, the memory, the turn, and the first of the next nonces. A turn is the
        parity of the step's number and the number of the first hash. The result has a bit for each candidate.
        """

        def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
            _, memory, turn, base = arguments
            parity, first = (builder.zext(builder.extract_value(turn, index), I64) for index in range(2))

            def area(parity: ir.Value, nonce: ir.Value) -> ir.Value:
                number = builder.add(builder.mul(parity, I64(NONCES)), nonce)
                return builder.add(memory, builder.add(I64(self.rows), builder.mul(number, I64(AREA_BYTES))))

            flights: list[Generator[None, None, Any]] = []
            for stream in range(STREAMS):
                number = builder.add(first, I64(stream))
                nonce, midstate = builder.udiv(number, I64(midstates)), builder.urem(number, I64(midstates))
                flights.append(_RolledQuadScan(builder, self, memory, midstate).hash(area(parity, nonce)))
            scan = _RolledQuadScan(builder, self, memory, I64(0))
            swapped = builder.call(declare(builder, "llvm.bswap.i32", I32, [I32]), [base])
            count = min(CHANGING, 4 * CHANGING // midstates)
            for part in range(max(1, STREAMS // midstates)):
                quad = builder.mul(builder.add(builder.udiv(first, I64(STREAMS)), I64(part)), I64(count))
                nonce = builder.udiv(quad, I64(CHANGING))
                place = area(builder.xor(parity, I64(1)), nonce)
                scan.enter(place, builder.add(swapped, builder.shl(builder.trunc(nonce, I32), I32(24))))
                flights.insert(0, scan.schedule(place, builder.urem(quad, I64(CHANGING)), count))
            mask = builder.inttoptr(builder.add(memory, I64(4 * self.tables.job.index(_MASK))), I32.as_pointer())
            zero_bits, bits = builder.load(mask), I32(0)
            for stream, word in enumerate(interleave(flights)[-STREAMS:]):
                hit = builder.zext(builder.icmp_unsigned("==", builder.and_(word, zero_bits), I32(0)), I32)
                bits = builder.or_(bits, builder.shl(hit, I32(stream)))
            return bits

        return generate


@cache
def rolled_quads(machine: Callable[[ir.IRBuilder], QuadMachine]) -> RolledQuads:
    """Return the scan on the SHA instructions of x86 or Arm."""
    return RolledQuads(machine)


PREPARE_SIGNATURE = types.uint64(JOB_TYPE)
MIDSTATE_SIGNATURE = types.uint64(JOB_TYPE, types.uint64, types.uint32)
TURN_TYPE = types.UniTuple(types.uint32, 2)


def _hash_signature(jobs: Any) -> Any:
    return types.uint32(jobs, types.uint64, TURN_TYPE, types.uint32)


@intrinsic
def prepare_shani(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `shani`."""
    return PREPARE_SIGNATURE, rolled_quads(X86Sha).prepare


@intrinsic
def prepare_midstate_shani(_typing: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `shani` and return its address."""
    return MIDSTATE_SIGNATURE, rolled_quads(X86Sha).prepare_midstate


@intrinsic
def hash_shani(_typing: Any, jobs: Any, _memory: Any, _turn: Any, _base: Any) -> Any:
    """Test four hashes of the scheduled nonces and do a part of the next schedules."""
    return _hash_signature(jobs), rolled_quads(X86Sha).turn(jobs.count)


@intrinsic
def prepare_neon_sha2(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `neon_sha2`."""
    return PREPARE_SIGNATURE, rolled_quads(ArmSha).prepare


@intrinsic
def prepare_midstate_neon_sha2(_typing: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `neon_sha2` and return its address."""
    return MIDSTATE_SIGNATURE, rolled_quads(ArmSha).prepare_midstate


@intrinsic
def hash_neon_sha2(_typing: Any, jobs: Any, _memory: Any, _turn: Any, _base: Any) -> Any:
    """Test four hashes of the scheduled nonces and do a part of the next schedules."""
    return _hash_signature(jobs), rolled_quads(ArmSha).turn(jobs.count)

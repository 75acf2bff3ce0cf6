"""The parts of a step that a probe measures: each class of instruction, those that share a unit, and all of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernels.scan_cpu.throughput.instruction import Dialect, Instruction
from kernels.scan_cpu.throughput.listing import Listing

SHA, VECTORS, INTEGERS, MEMORY = "SHA instructions", "vector instructions", "integer instructions", "loads and stores"
FRONT_END, ALL = "the front end", "all instructions together"
_LEAST_FRAC = 0.02  # [-] of a step's instructions: a smaller class is counted and not probed alone
_LONGEST, _SHORTEST = 240, 192  # [instructions] of a loop with one class, and of any loop


@dataclass(frozen=True)
class Part:
    """Instructions of a step that are probed together."""

    name: str
    body: tuple[str, ...]  # of the probe's loop
    turns_per_hash: float  # of that loop
    instructions_per_hash: float


def class_counts(listing: Listing, dialect: Dialect) -> dict[str, float]:
    """Return the number of instructions per hash of each class, the most frequent first."""
    counts: Counter[str] = Counter()
    for region in listing.regions:
        for line in region.lines:
            counts[dialect.parse(line).kind] += region.times
    return {kind: count / listing.hashes for kind, count in counts.most_common()}


def parts_of(listing: Listing, dialect: Dialect) -> list[Part]:
    """Return the parts of a step to probe, the narrowest first, and all instructions last, in two orders."""
    counts, total = class_counts(listing, dialect), listing.instructions_per_hash
    lines, turns_per_hash = listing.turn()
    instructions = [dialect.parse(line) for line in lines]
    parts = []
    for kind, per_hash in counts.items():
        same = [one for one in instructions if one.kind == kind][:_LONGEST]
        if same and per_hash >= _LEAST_FRAC * total:
            parts += _part(kind, same, dialect, per_hash, per_hash / len(same))
    for name, together in _units(instructions, dialect):
        parts += _part(name, together, dialect, len(together) * turns_per_hash, turns_per_hash)
    parts.append(Part(FRONT_END, dialect.front_end, total / len(dialect.front_end), total))
    # Twice: how a loop lies in memory may slow it down.
    middle = len(instructions) // 2
    for order in (instructions, instructions[middle:] + instructions[:middle]):
        parts += _part(ALL, order, dialect, total, turns_per_hash)
    return parts


def _units(instructions: Sequence[Instruction], dialect: Dialect) -> Iterable[tuple[str, list[Instruction]]]:
    sha = [one for one in instructions if one.is_sha]
    if len({one.kind for one in sha}) > 1:
        yield SHA, sha
    yield VECTORS, [one for one in instructions if one.is_vector_work]
    yield INTEGERS, [one for one in instructions if one.is_integer_work]
    yield MEMORY, [dialect.memory_part(one) for one in instructions if one.loads or one.stores]


def _part(
    name: str, instructions: list[Instruction], dialect: Dialect, per_hash: float, turns_per_hash: float
) -> list[Part]:
    """Return the part, or nothing if none of its instructions can be repeated freely."""
    body = dialect.independent(instructions)
    if not body:
        return []
    repeats = -(-_SHORTEST // len(body))
    return [Part(name, tuple(body) * repeats, turns_per_hash / repeats, per_hash)]

"""The loops of a function in LLVM's assembly: what every turn of its longest loop executes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kernels.errors import KernelInputError

STEP_FUNCTION = "perwatt_step"  # begins the name of a pipeline's step, which the loop calls
_LABEL = re.compile(r"(?P<name>[\w.$]+):")
_TARGET = re.compile(r"(?P<mnemonic>j\w+|b|b\.\w+|cbn?z|tbn?z)\s+(?:.*\s)?(?P<target>\.L\w+)$")
_TABLE_ENTRY = re.compile(r"\.(?:long|quad|word|byte|hword)\s+\(?(?P<target>\.LBB\w+)")
_ENDS = re.compile(r"(?:ret\w*|ud2|brk|jmpq?\s+\*.*|br\s.*)(?:\s|$)")
_INDIRECT = re.compile(r"(?:jmpq?\s+\*|br\s)")
_CALL = re.compile(r"(?:call\w*|blr?)\s")
_COMMENT = re.compile(r"(^|\s)(#+([A-Z_]+$|\s)|//).*")
_LEAST_FRAC = 0.05  # [-] of the instructions: a loop inside with fewer handles hits, which are rare


@dataclass(frozen=True)
class Region:
    """Instructions that a step executes one after the other, and how often a step does so."""

    lines: tuple[str, ...]
    times: int = 1


@dataclass
class _Block:
    lines: list[str] = field(default_factory=list)
    nexts: set[int] = field(default_factory=set)  # indices of the blocks that may follow


def step_regions(assembly: str, turns: int) -> tuple[Region, ...]:
    """Return what every turn of the longest loop executes: the loop itself, and a long loop inside it if there is one.

    Branches that a turn may skip are left out.

    Parameters
    ----------
    assembly
        Text of all functions.
    turns
        Turns of the loop inside in each turn of the loop around it.

    Raises
    ------
    KernelInputError
        No function has a loop.
    """
    functions = {name: _blocks(lines) for name, lines in _functions(assembly).items()}
    called = [
        line
        for name, blocks in functions.items()
        if name.startswith(STEP_FUNCTION)
        for block in blocks
        for line in block.lines
    ]
    candidates = [_regions(blocks, turns, called) for blocks in functions.values()]
    best = max(candidates, key=_size, default=())
    if not best:
        raise KernelInputError("assembly: expected a loop, got none")
    return best


def _size(regions: Iterable[Region]) -> int:
    return sum(len(region.lines) * region.times for region in regions)


def _functions(assembly: str) -> dict[str, list[str]]:
    """Return the lines of each function: labels, instructions and jump tables."""
    functions: dict[str, list[str]] = {}
    current: list[str] = []
    for raw in assembly.splitlines():
        line = _COMMENT.sub("", raw).strip()
        label = _LABEL.match(line)
        if label and not label["name"].startswith((".", "$")):
            current = functions.setdefault(label["name"], [])
        elif label or (line and not line.startswith(".")) or _TABLE_ENTRY.match(line):
            current.append(line)
    return functions


def _blocks(lines: list[str]) -> list[_Block]:
    """Return the basic blocks of a function, in order, with what may follow each."""
    blocks, labels, tables = [_Block()], {}, []
    jumps: list[tuple[int, str]] = []
    for line in lines:
        if label := _LABEL.match(line):
            blocks.append(_Block())
            labels[label["name"]] = len(blocks) - 1
        elif entry := _TABLE_ENTRY.match(line):
            tables.append(entry["target"])
        else:
            blocks[-1].lines.append(line)
            if jump := _TARGET.match(line):
                jumps.append((len(blocks) - 1, jump["target"]))
            if jump or _ENDS.match(line):
                blocks.append(_Block())
    for index, target in jumps:
        blocks[index].nexts |= {labels[target]} if target in labels else set()
    for index, block in enumerate(blocks):
        last = block.lines[-1] if block.lines else ""
        if _INDIRECT.match(last):
            block.nexts |= {labels[target] for target in tables if target in labels}
        elif not _ENDS.match(last) and not re.match(r"(?:jmp|b)\s", last) and index + 1 < len(blocks):
            block.nexts.add(index + 1)
    return blocks


def _dominators(blocks: list[_Block]) -> dict[int, set[int]]:
    """Return the blocks that every path from the start to a block passes, for each block that can be reached."""
    order, pending = [], [0]
    while pending:
        index = pending.pop()
        if index not in order:
            order.append(index)
            pending += blocks[index].nexts
    before: dict[int, list[int]] = {index: [] for index in order}
    for index in order:
        for following in blocks[index].nexts:
            before[following].append(index)
    dominators = {index: set(order) for index in order}
    dominators[0] = {0}
    changed = True
    while changed:
        changed = False
        for index in order[1:]:
            common = set.intersection(*(dominators[other] for other in before[index])) | {index}
            changed |= common != dominators[index]
            dominators[index] = common
    return dominators


def _loops(blocks: list[_Block], dominators: Mapping[int, set[int]]) -> dict[int, tuple[set[int], set[int]]]:
    """Return the members of each loop, and those that every turn executes, by the loop's first block."""
    before: dict[int, set[int]] = {index: set() for index in dominators}
    for index in dominators:
        for following in blocks[index].nexts:
            before[following].add(index)
    loops: dict[int, tuple[set[int], set[int]]] = {}
    for last in dominators:
        for first in blocks[last].nexts & dominators[last]:
            members, pending = {first}, [last]
            while pending:
                index = pending.pop()
                if index not in members:
                    members.add(index)
                    pending += before[index]
            every_turn = members & dominators[last]
            known = loops.get(first)
            loops[first] = (known[0] | members, known[1] & every_turn) if known else (members, every_turn)
    return loops


def _regions(blocks: list[_Block], turns: int, called: list[str]) -> tuple[Region, ...]:
    """Return the regions of a function's longest loop, or nothing if it has no loop."""
    loops = _loops(blocks, _dominators(blocks))

    def lines(members: set[int]) -> tuple[str, ...]:
        return tuple(line for index in sorted(members) for line in blocks[index].lines)

    best: tuple[Region, ...] = ()
    for members, every_turn in loops.values():
        inside = [own & always for first, (own, always) in loops.items() if own < members and first in every_turn]
        inner = max(inside, key=lambda part: len(lines(part)), default=set())
        around = lines(every_turn - inner)
        regions = [Region(around), Region(lines(inner), turns)]
        if len(regions[1].lines) < _LEAST_FRAC * len(around):
            regions = [Region(lines(every_turn))]
        calls = sum(region.times * sum(bool(_CALL.match(line)) for line in region.lines) for region in regions)
        regions.append(Region(tuple(called), calls))
        kept = tuple(region for region in regions if region.lines and region.times)
        best = max(best, kept, key=_size)
    return best

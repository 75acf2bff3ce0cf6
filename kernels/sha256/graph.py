"""A graph of 32-bit words, between the description of SHA-256 and the machines that it is compiled for.

Each value is bound at one of three times: a constant, per job (the same for every nonce of a header), or per nonce.
Sums keep their terms until somebody needs the bits, and the early-bound terms are summed first. With unused
operations dropped, that makes every known mining trick out of the textbook code: precomputed rounds, folded
padding, K + W in one constant, the early stop, the comparison with a precomputed word.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from kernels.sha256.description import WORD_MASK
from kernels.sha256.reference import INTEGERS

_JUST_MADE = 12  # operations below the deepest term of a sum: three rounds


class Time(IntEnum):
    """When a value becomes known."""

    CONSTANT = 0
    JOB = 1
    NONCE = 2


@dataclass(frozen=True, eq=False)
class Node:
    """One word: operation, arguments, immediate (shift, value or name), binding time, depth, place in the text."""

    operation: str
    arguments: tuple["Node", ...]
    immediate: int | str
    time: Time
    depth: int
    index: int


class Graph:
    """Operations that record; equal expressions become one node and constants are folded."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}

    def constant(self, value: int) -> Node:
        """Return the node of a constant."""
        return self._node("constant", (), value & WORD_MASK, Time.CONSTANT)

    def input(self, name: str, time: Time) -> Node:
        """Return the node of a value that comes from outside."""
        return self._node("input", (), name, time)

    def rotr(self, word: Node, bits: int) -> Node:
        """Return the word rotated right."""
        return self._apply("rotr", (word,), bits)

    def shr(self, word: Node, bits: int) -> Node:
        """Return the word shifted right."""
        return self._apply("shr", (word,), bits)

    def xor3(self, x: Node, y: Node, z: Node) -> Node:
        """Return x ^ y ^ z."""
        return self._apply("xor3", (x, y, z))

    def ch(self, x: Node, y: Node, z: Node) -> Node:
        """Return y where x has ones, z elsewhere."""
        return self._apply("ch", (x, y, z))

    def maj(self, x: Node, y: Node, z: Node) -> Node:
        """Return the majority, bit by bit."""
        return self._apply("maj", (x, y, z))

    def add(self, *terms: Node) -> Node:
        """Return the sum."""
        constant = sum(int(t.immediate) for t in terms if t.time is Time.CONSTANT) & WORD_MASK
        rest = [t for t in terms if t.time is not Time.CONSTANT]
        if constant or not rest:
            rest.append(self.constant(constant))
        return rest[0] if len(rest) == 1 else self._node("add", tuple(rest), 0, max(t.time for t in rest))

    def _apply(self, operation: str, arguments: tuple[Node, ...], immediate: int | None = None) -> Node:
        if all(a.time is Time.CONSTANT for a in arguments):
            values = [int(a.immediate) for a in arguments]
            return self.constant(getattr(INTEGERS, operation)(*values, *([] if immediate is None else [immediate])))
        return self._node(operation, arguments, immediate or 0, max(a.time for a in arguments))

    def _node(self, operation: str, arguments: tuple[Node, ...], immediate: int | str, time: Time) -> Node:
        key = (operation, *map(id, arguments), immediate)
        if key not in self._nodes:
            depth = 1 + max((a.depth for a in arguments), default=-1)
            self._nodes[key] = Node(operation, arguments, immediate, time, depth, len(self._nodes))
        return self._nodes[key]


class Target(Protocol):
    """A machine: receives the operations of a graph one by one, each with the time at which it happens."""

    def input(self, name: str) -> Any:
        """Return the value of an input."""
        ...

    def constant(self, value: int) -> Any:
        """Return the value of a constant."""
        ...

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> Any:
        """Return the value of `rotr`, `shr`, `xor3`, `ch`, `maj` or a two-term `add`."""
        ...


class Lowering:
    """Emits the live part of a graph to a target, in the order of the description.

    `roots` are all nodes whose value will be asked for; what none of them needs is never emitted. A sum of which
    only other sums make use is merged into them where that costs nothing: when it has one user, or at most one
    late term.
    """

    def __init__(self, target: Target, roots: Iterable[Node]) -> None:
        self._target = target
        self._values: dict[Node, Any] = {}
        roots = list(roots)
        live = _reachable(roots, {})
        self._terms = _merged_sums(live, set(roots))
        self._order = _reachable(roots, self._terms)

    def steps(self) -> Iterator[Node]:
        """Emit everything, yielding after each operation that happens per nonce."""
        for node in self._order:
            if node.operation == "input":
                self._values[node] = self._target.input(str(node.immediate))
            elif node.operation == "constant":
                self._values[node] = self._target.constant(int(node.immediate))
            elif node.operation == "add":
                yield from self._sum(node)
            else:
                arguments = [self._values[argument] for argument in node.arguments]
                value = self._target.apply(node.operation, node.time, arguments, int(node.immediate))
                self._values[node] = value
                if node.time is Time.NONCE:
                    yield node

    def run(self) -> "Lowering":
        """Emit everything at once."""
        for _ in self.steps():
            pass
        return self

    def value(self, node: Node) -> Any:
        """Return the target's value of a node that has been emitted."""
        return self._values[node]

    def emitted(self, node: Node) -> bool:
        """Return whether the node has its value."""
        return node in self._values

    def _sum(self, node: Node) -> Iterator[Node]:
        """Add the constants, then the job's terms, then the late ones, the deepest of them last."""
        terms = self._terms[node]
        total = None
        constant = sum(int(t.immediate) for t in terms if t.time is Time.CONSTANT) & WORD_MASK
        if constant:
            total = self._target.constant(constant)
        late = False
        deepest = max(term.depth for term in terms)

        def order(term: Node) -> tuple[Time, int, int]:
            """Put old words first as they are; among those made just before, the shallow ones."""
            return term.time, term.depth if term.depth > deepest - _JUST_MADE else 0, term.index

        for term in sorted((t for t in terms if t.time is not Time.CONSTANT), key=order):
            value = self._values[term]
            if total is None:
                total = value
                continue
            if late:
                yield node
            total = self._target.apply("add", term.time, [total, value], 0)
            late = term.time is Time.NONCE
        self._values[node] = total
        if late:
            yield node


def _operands(node: Node, terms: dict[Node, list[Node]]) -> Iterable[Node]:
    return terms.get(node, node.arguments)


def _reachable(roots: Iterable[Node], terms: dict[Node, list[Node]]) -> list[Node]:
    """Return the nodes that `roots` need, in the order in which the description made them."""
    pending = list(roots)
    seen = set(pending)
    while pending:
        new = set(_operands(pending.pop(), terms)) - seen
        pending += new
        seen |= new
    return sorted(seen, key=lambda node: node.index)


def _merged_sums(live: list[Node], roots: set[Node]) -> dict[Node, list[Node]]:
    """Return each sum's terms after merging the sums that need not exist by themselves."""
    uses = Counter(argument for node in live for argument in node.arguments)
    needed = roots | {argument for node in live if node.operation != "add" for argument in node.arguments}
    terms: dict[Node, list[Node]] = {}
    for node in live:
        if node.operation != "add":
            continue
        terms[node] = []
        for argument in node.arguments:
            parts = terms.get(argument, [argument])
            late = sum(part.time is Time.NONCE for part in parts)
            merged = argument not in needed and (uses[argument] == 1 or late <= 1)
            terms[node] += parts if merged else [argument]
    return terms


def early_and_late(graph: Graph, node: Node) -> tuple[Node, list[Node]]:
    """Return a sum as the node of its early part and the list of its late terms."""
    pending, early, late = [node], [], []
    while pending:
        term = pending.pop()
        if term.time < Time.NONCE:
            early.append(term)
        elif term.operation == "add":
            pending += term.arguments
        else:
            late.append(term)
    return graph.add(*early, graph.constant(0)), late

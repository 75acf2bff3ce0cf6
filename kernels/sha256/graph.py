"""A graph of 32-bit words between the description of SHA-256 and the targets that it is compiled for.

Each word becomes known at one of three times: it is a constant, it is the same for every nonce of a job, or it changes
with the nonce. A sum keeps its terms until an operation needs its bits, and the terms that are known early are added
first. Operations that no result needs are dropped. Together these rules turn the textbook code into what optimised
miners do by hand: precomputed rounds, folded padding, K + W as one constant, the early stop and the comparison with a
precomputed word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, Self

from kernels.sha256.description import WORD_MASK
from kernels.sha256.reference import INTEGERS

_JUST_MADE = 12  # terms at most this much shallower than the deepest term of a sum are recent: three rounds


class Time(IntEnum):
    """The time at which a word becomes known."""

    CONSTANT = 0
    JOB = 1
    NONCE = 2


@dataclass(frozen=True, eq=False)
class Node:
    """One word of the graph and the operation that makes it."""

    operation: str
    arguments: tuple[Node, ...]
    immediate: int | str  # shift in bits, value of a constant, or name of an input
    time: Time
    depth: int  # operations on the longest path from an input
    index: int  # order in which the description made the nodes


class Graph:
    """Operations that record a graph: equal expressions become one node and constants are folded."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Node] = {}

    def constant(self, value: int) -> Node:
        """Return the node of a constant."""
        return self._node("constant", (), value & WORD_MASK, Time.CONSTANT)

    def input(self, name: str, time: Time) -> Node:
        """Return the node of a named input of the graph."""
        return self._node("input", (), name, time)

    def rotr(self, word: Node, bits: int) -> Node:
        """Return the word rotated right by `bits`."""
        return self._apply("rotr", (word,), bits)

    def shr(self, word: Node, bits: int) -> Node:
        """Return the word shifted right by `bits`."""
        return self._apply("shr", (word,), bits)

    def xor3(self, x: Node, y: Node, z: Node) -> Node:
        """Return x ^ y ^ z."""
        return self._apply("xor3", (x, y, z))

    def ch(self, x: Node, y: Node, z: Node) -> Node:
        """Return the bits of y where x has ones, those of z elsewhere."""
        return self._apply("ch", (x, y, z))

    def maj(self, x: Node, y: Node, z: Node) -> Node:
        """Return the majority of x, y and z, bit by bit."""
        return self._apply("maj", (x, y, z))

    def add(self, *terms: Node) -> Node:
        """Return the sum modulo 2^32."""
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
    """A receiver of the operations of a graph, one by one, each with the time at which it happens."""

    def input(self, name: str) -> Any:
        """Return the value of an input."""
        ...

    def constant(self, value: int) -> Any:
        """Return the value of a constant."""
        ...

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> Any:
        """Return the result of `rotr`, `shr`, `xor3`, `ch`, `maj` or an `add` of two terms."""
        ...


class Lowering:
    """Emits the part of a graph that its roots need to a target, in the order of the description.

    A sum that only other sums use is merged into them if that costs no operation: it has one user, or at most one term
    that changes with the nonce.

    Parameters
    ----------
    target
        Receiver of the operations.
    roots
        All nodes whose value the caller reads.
    """

    def __init__(self, target: Target, roots: Iterable[Node]) -> None:
        self._target = target
        self._values: dict[Node, Any] = {}
        roots = list(roots)
        live = _reachable(roots, {})
        self._terms = _merged_sums(live, set(roots))
        self._order = _reachable(roots, self._terms)

    def steps(self) -> Iterator[Node]:
        """Emit all operations, yielding after each one that happens per nonce."""
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

    def run(self) -> Self:
        """Emit all operations and return itself."""
        for _ in self.steps():
            pass
        return self

    def value(self, node: Node) -> Any:
        """Return the target's value of an emitted node."""
        return self._values[node]

    def emitted(self, node: Node) -> bool:
        """Return whether the node has been emitted."""
        return node in self._values

    def _sum(self, node: Node) -> Iterator[Node]:
        """Add the constants first, then the job's terms, then the nonce's terms with the deepest one last."""
        terms = self._terms[node]
        total = None
        constant = sum(int(t.immediate) for t in terms if t.time is Time.CONSTANT) & WORD_MASK
        if constant:
            total = self._target.constant(constant)
        late = False
        deepest = max(term.depth for term in terms)

        def order(term: Node) -> tuple[Time, int, int]:
            """Order older words as they were made and recent ones by depth."""
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
    """Return the nodes that the roots need, in the order in which the description made them."""
    pending = list(roots)
    seen = set(pending)
    while pending:
        new = set(_operands(pending.pop(), terms)) - seen
        pending += new
        seen |= new
    return sorted(seen, key=lambda node: node.index)


def _merged_sums(live: list[Node], roots: set[Node]) -> dict[Node, list[Node]]:
    """Return the terms of each sum after merging those sums whose own value no operation needs."""
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
    """Return the node of a sum's terms that are known before the nonce, and the list of its other terms."""
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

"""The choice of cuBLASLt's algorithm for a product: all are timed, the fastest several times, short ones in graphs."""

import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.workloads.cuda.context import GpuContext
from bench.workloads.cuda.matmul_baselines import Operands, Queue
from bench.workloads.protocol import VerificationError

if TYPE_CHECKING:
    from kernels.matmul.cublaslt import Algorithm, LtProduct

ALGORITHMS = 32
ALGORITHM_MS = 8.0  # [ms] time of each algorithm after its first product
FINALISTS, FINAL_ROUNDS, FINAL_MS = 4, 3, 25.0  # the fastest again in turn, on a warm chip
GRAPH_BELOW_MS = 0.1  # [ms] a shorter product is replayed in a graph, or the launches would be measured
GRAPH_MS = 2.0
MOST_IN_A_GRAPH = 256


@dataclass(frozen=True)
class Choice:
    """The chosen algorithm."""

    algorithm: "Algorithm"
    queue: Queue
    facts: dict[str, object]  # of the choice, for the record


def choose(gpu: GpuContext, product: "LtProduct", sets: Sequence[Operands]) -> Choice:
    """Time the algorithms that the heuristic offers, each over the rotated sets, and keep the fastest.

    Raises
    ------
    VerificationError
        No algorithm is offered, or all are refused when they run.
    """
    from kernels.gpu.device import GpuError

    name = product.form.name
    offered = product.algorithms(ALGORITHMS)
    if not offered:
        raise VerificationError(f"cuBLASLt offers no algorithm for {name} of this shape on this GPU")
    queues = {algorithm.rank: _queue(gpu, product, algorithm) for algorithm in offered}
    times: dict[int, float] = {}
    for rank, queue in queues.items():
        with contextlib.suppress(GpuError):  # offered, but refused when it runs
            times[rank] = product_ms(gpu, queue, sets, ALGORITHM_MS)
    if not times:
        raise VerificationError(f"cuBLASLt refuses every algorithm that it offers for {name}")
    favourite = min(times)
    finalists = {favourite, *sorted(times, key=lambda rank: times[rank])[:FINALISTS]}
    rounds: dict[int, list[float]] = {rank: [] for rank in sorted(finalists)}
    for _ in range(FINAL_ROUNDS):
        for rank, times_ms in rounds.items():
            times_ms.append(product_ms(gpu, queues[rank], sets, FINAL_MS))
    final = {rank: statistics.median(times_ms) for rank, times_ms in rounds.items()}
    best = min(final, key=lambda rank: final[rank])
    algorithm = next(candidate for candidate in offered if candidate.rank == best)
    facts: dict[str, object] = {
        "algorithm": f"{best} {algorithm.name}",
        "algorithms_offered": len(offered),
        "algorithms_timed": len(times),
        "gain_over_heuristic_frac": final[favourite] / final[best] - 1.0,
        "chosen_ms": final[best],
    }
    return Choice(algorithm, queues[best], facts)


def _queue(gpu: GpuContext, product: "LtProduct", algorithm: "Algorithm") -> Queue:
    stream = gpu.stream.ptr

    def launch(operands: Operands) -> None:
        product.launch(operands.a.data.ptr, operands.b.data.ptr, operands.d.data.ptr, algorithm, stream)

    return launch


def product_ms(gpu: GpuContext, queue_one: Queue, sets: Sequence[Operands], target_ms: float) -> float:
    """Return the time of one product over the rotated sets [ms], measured for `target_ms` after a first product."""
    queue_one(sets[0])
    gpu.stream.synchronize()
    first_ms = gpu.timed_ms(lambda: queue_one(sets[0]))
    repeats = max(1, min(50, round(target_ms / max(first_ms, 1e-3))))
    if first_ms < GRAPH_BELOW_MS:
        graph, products, _ = in_graph(gpu, queue_one, sets, first_ms)
        if graph is not None:
            replays = max(1, round(target_ms / GRAPH_MS))

            def replay() -> None:
                for _ in range(replays):
                    graph.launch(gpu.stream)

            graph.launch(gpu.stream)
            return gpu.timed_ms(replay) / (replays * products)

    def queue() -> None:
        for i in range(repeats):
            queue_one(sets[i % len(sets)])

    return gpu.timed_ms(queue) / repeats


def in_graph(gpu: GpuContext, queue_one: Queue, sets: Sequence[Operands], milliseconds: float) -> tuple[Any, int, str]:
    """Record a graph of products that lasts GRAPH_MS, over every set in turn.

    Returns
    -------
    The graph or None, its number of products, and why there is none.
    """
    laps = max(1, min(round(GRAPH_MS / max(milliseconds, 1e-3)), MOST_IN_A_GRAPH) // len(sets))
    products = laps * len(sets)
    gpu.stream.begin_capture()
    try:
        for i in range(products):
            queue_one(sets[i % len(sets)])
        return gpu.stream.end_capture(), products, ""
    except RuntimeError as error:
        with contextlib.suppress(RuntimeError):
            gpu.stream.end_capture()
        return None, 0, " ".join(str(error).split())

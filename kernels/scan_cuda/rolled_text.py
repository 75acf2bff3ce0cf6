"""The CUDA C of the scan of several versions: one message schedule in registers, and a loop over the midstates.

The kernel is the same for any number of midstates up to `MOST_MIDSTATES`. Each hash needs words of its own, which the
host computes from its midstate.

References
----------
BIP 320, the bits of the version that a miner may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from kernels.gpu.cuda_source import read_source
from kernels.scan_cuda.codegen import (
    NONCES_PER_THREAD,
    FoldedGraph,
    JobWord,
    Rotated,
    TextTarget,
    body,
    job_values,
    macro_values,
)
from kernels.scan_cuda.variants import TEXT_VARIANTS, TextVariant, find_rolled
from kernels.sha256.description import INITIAL_STATE, compress, digest_block
from kernels.sha256.graph import Graph, Lowering
from kernels.sha256.scan_graph import JOB_INPUTS, MIDSTATE_INPUTS, TAIL_INPUTS, rolled_scan_graph

MOST_MIDSTATES = 8


class HashTarget(TextTarget):
    """A target for the hashes of one midstate: their words are those of the midstate or those of all midstates."""

    words = "own"

    def __init__(self, variant: TextVariant, shared: TextTarget) -> None:
        super().__init__(variant)
        self._shared = shared

    def input(self, name: str) -> JobWord | str:
        """Return the C name of a row or of the nonce's word, or the word of the job for any other input."""
        return f"rows.{name}" if name.startswith("row") else super().input(name)

    def operand(self, value: JobWord | Rotated | str | int) -> str:
        """Return a value as C; a word that no midstate changes is one of the words that all midstates share."""
        if isinstance(value, JobWord) and not _depends_on_midstate(value):
            return self._shared.operand(value)
        return super().operand(value)


def _depends_on_midstate(word: JobWord | int) -> bool:
    if isinstance(word, int):
        return False
    return word.immediate in MIDSTATE_INPUTS or any(map(_depends_on_midstate, word.arguments))


@dataclass(frozen=True)
class RolledText:
    """The CUDA C of one variant and the words that the host must compute for a job."""

    variant: str
    source: str  # one kernel, `sha256d_scan_versions`, and the functions `sha256d_rows` and `sha256d_last_word`
    shared_words: tuple[JobWord, ...]  # `Job.words` in order
    own_words: tuple[JobWord, ...]  # `Job.own` of each midstate in order
    powers: tuple[int, ...]  # as in `ScanText`


@cache
def rolled_text(variant: str) -> RolledText:
    """Return the text of a variant of ROLLED_VARIANTS.

    Raises
    ------
    KernelInputError
        ROLLED_VARIANTS has no such variant.
    """
    options = TEXT_VARIANTS[find_rolled(variant).name]
    graph = FoldedGraph() if options.folded else Graph()
    scan = rolled_scan_graph(graph)
    initial = [graph.constant(value) for value in INITIAL_STATE]
    last = compress(graph, initial, digest_block(graph, scan.digest))[7]
    # The schedule has more work for the FMA pipe than for the ALU pipe, so that none of its rotates becomes a product.
    rows = TextTarget(replace(options, products_frac=Fraction(0)))
    lowered = Lowering(rows, scan.rows.values()).run()
    results = [rows.operand(lowered.value(row)) for row in scan.rows.values()]
    hashes = HashTarget(replace(options, products_frac=options.rolled_products_frac or Fraction(0)), rows)
    last_word = hashes.operand(Lowering(hashes, [last]).run().value(last))
    powers = tuple(sorted(rows.powers | hashes.powers))
    values = macro_values(options) | {
        "WORDS": str(len(rows.job_words)),
        "OWN_WORDS": str(len(hashes.job_words)),
        "MOST_MIDSTATES": str(MOST_MIDSTATES),
        "POWER_FIELDS": "".join(f"u32 power{n}; " for n in powers),
        "ROWS": ", ".join(f"row{index}" for index in scan.rows),
        "ROWS_BODY": body(rows, sorted(rows.powers)),
        "ROWS_RESULT": ", ".join(results),
        "BODY": body(hashes, sorted(hashes.powers)),
        "LAST_WORD": last_word,
        "PER_THREAD": str(NONCES_PER_THREAD),
    }
    source = read_source("sha256d_operations.cuh", "sha256d_scan_versions.cu", values=values)
    return RolledText(variant, source, tuple(rows.job_words), tuple(hashes.job_words), powers)


def rolled_job_record(
    text: RolledText, midstates: Sequence[Sequence[int]], tail: Sequence[int], mask: int
) -> list[int]:
    """Return the C struct `Job` as its 32-bit words: shared words, count, own words, powers, one, mask, one.

    Parameters
    ----------
    text
        The text that the job is for.
    midstates
        States after the first 64 bytes of each version of the header, eight words each; 1 to MOST_MIDSTATES.
    tail
        Words of the header from the 17th on, at least three.
    mask
        Bits that must be zero in the hash's last word.
    """
    shared = job_values(text.shared_words, dict(zip(TAIL_INPUTS, tail[:3], strict=True)))
    own: list[int] = []
    for midstate in midstates:
        own += job_values(text.own_words, dict(zip(JOB_INPUTS, (*midstate, *tail[:3]), strict=True)))
    own += [0] * ((MOST_MIDSTATES - len(midstates)) * len(text.own_words))
    return [*shared, len(midstates), *own, *(1 << (32 - n) for n in text.powers), 1, mask, 1]

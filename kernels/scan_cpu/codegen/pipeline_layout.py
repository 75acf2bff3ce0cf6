"""The dimensions of a pipeline, the registers of its step, and the layout of its memory."""

from dataclasses import dataclass, field

from kernels.scan_cpu.codegen.early import EarlyTables

TABLE, P, Q, R, MIDSTATE, S, NONCE = "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r11d"
PART, CONSTANTS = "r12", "r13"  # of schedule 1: S and K, from the first word of this step on
EXTRA_NONCES = ("r14d", "r15d")
TABLE_BIAS = 128  # [byte] by which rdi points past the table's start: a displacement of one byte reaches 128 back
FIRST_ROUND = (4, 1)  # of each block that the SHA instructions do
PAIRS = 30  # pairs of rounds a block: 4 to 63 of the first, 1 to 60 of the second
ABEF, CDGH = (5, 4, 1, 0), (7, 6, 3, 2)  # the SHA instructions' order of the state words


@dataclass(frozen=True)
class Shape:
    """The dimensions of a pipeline."""

    register: str  # `ymm` or `zmm`
    lanes: int  # 8 or 16: nonces of a batch
    chains: int  # chains of rounds in flight
    vector_hashes: int = 0  # further batches a step, hashed on vectors alone
    ternary: bool = True  # whether an xor of three words is one three-way instruction
    turns: int = 0  # turns of the chains that stay together, an odd distance apart; 0 alternates single instructions
    distance: int = 0  # instructions from a vector to its first use, where others can come between

    @property
    def nonces(self) -> int:
        """Nonces that a step takes in."""
        return self.lanes * (1 + self.vector_hashes)


@dataclass
class Program:
    """A step as text, and the memory that it works on."""

    text: str
    tables: EarlyTables  # words that are known before the nonce
    table_bytes: int  # the job's table and the spilled vectors
    scratch_bytes: int  # P, and likewise Q
    rows_bytes: int  # R, and likewise S


@dataclass
class Layout:
    """Offsets within the scratch areas [byte]."""

    shape: Shape
    lanes: int = field(init=False)
    vector: int = field(init=False)  # size of a vector
    results: int = field(init=False)
    end: int = field(init=False)  # of P and Q
    rows_end: int = field(init=False)  # of R and S with one midstate
    schedules_end: int = field(init=False)  # of R and S with several

    def __post_init__(self) -> None:
        """Lay out the areas."""
        self.lanes = self.shape.lanes
        self.vector = 4 * self.lanes
        self.results = self.digest(2)
        self.end = self.results + self.vector
        self.rows_end = self.row(PAIRS + 1)
        self.schedules_end = self.word(1 + self.shape.vector_hashes, 0)

    def row(self, row: int) -> int:
        """Return the offset of a row of word pairs, two vectors: row 0 holds (0, late word), row p + 1 round pair p."""
        return row * 2 * self.vector

    def lane_in_row(self, lane: int) -> int:
        """Return the offset of a lane's two words in a row, whose low and high halves of 128 bits are unpacked."""
        return self.vector * (lane % 4 // 2) + 16 * (lane // 4) + 8 * (lane % 2)

    def nonce_words(self, batch: int) -> int:
        """Return the offset within R and S of the nonce words of a batch that is hashed on vectors alone, 1 or 2."""
        return self.rows_end + (batch - 1) * 49 * self.vector

    def word_plus_k(self, batch: int, index: int) -> int:
        """Return the offset within R and S of K + W of such a batch; only words 16 to 63 have a place."""
        return self.nonce_words(batch) + (index - 15) * self.vector

    def word(self, batch: int, index: int) -> int:
        """Return the offset within R and S of a word of schedule 1; batch 0 is that of the SHA instructions."""
        return self.nonce_words(1 + self.shape.vector_hashes) + (64 * batch + index) * self.vector

    def digest(self, half: int) -> int:
        """Return the offset of the ABEF (0) or CDGH (1) halves of the first block's digests, 16 bytes a lane."""
        return self.row(PAIRS + 1) + half * 16 * self.lanes

    def lane_in_digest(self, lane: int) -> int:
        """Return the offset of a lane's half digest, chosen so that unpacking puts the lanes in order."""
        return self.vector * (lane % 4) + 16 * (lane // 4)

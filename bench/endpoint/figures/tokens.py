"""The tokens of one reply with the times at which they came, from the best count that the server gives.

A chunk is not a token. The order of trust: token ids in each chunk, a running total in each chunk, the total at the
end spread over the chunks by the length of their text. The number of chunks and the requested length are never used.
"""

import math
from dataclasses import dataclass
from typing import Literal

from bench.endpoint.stream.reply import Chunk, Reply

TokenSource = Literal["token_ids", "continuous_usage", "final_usage", "none"]


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """The tokens of one reply."""

    times_ns: tuple[int, ...]  # of the chunks, in order
    tokens: tuple[float, ...]  # tokens of each chunk; fractions where a total is spread over the text
    source: TokenSource

    @property
    def total(self) -> float:
        """Tokens of the whole reply; a whole number that was spread over the text adds up to itself."""
        return round(math.fsum(self.tokens), 9)

    @property
    def first_read(self) -> float:
        """Tokens that came with the first text: those of all chunks of its read."""
        return math.fsum(
            n for time_ns, n in zip(self.times_ns, self.tokens, strict=True) if time_ns == self.times_ns[0]
        )

    def between(self, start_ns: int, end_ns: int) -> float:
        """Return the tokens that came from `start_ns` until just before `end_ns`."""
        return sum(
            tokens for time_ns, tokens in zip(self.times_ns, self.tokens, strict=True) if start_ns <= time_ns < end_ns
        )


def token_times(reply: Reply, tokens_per_character: float = 0.0) -> TokenTimes:
    """Return the tokens of a reply; without any count of the server the source is `none` and there are no tokens.

    Parameters
    ----------
    reply
        The reply.
    tokens_per_character
        For a reply that was cut off before the server counted it: tokens per character of those that it did count.
    """
    chunks = reply.chunks
    times_ns = tuple(chunk.time_ns for chunk in chunks)
    if chunks and all(chunk.token_ids is not None for chunk in chunks):
        return TokenTimes(times_ns, tuple(float(chunk.token_ids or 0) for chunk in chunks), "token_ids")
    if chunks and all(chunk.usage_tokens is not None for chunk in chunks):
        totals = [chunk.usage_tokens or 0 for chunk in chunks]
        tokens = [float(max(0, after - before)) for before, after in zip([0, *totals], totals, strict=False)]
        tokens[-1] += max(0, (reply.output_tokens or 0) - totals[-1])  # an end token that carries no text
        return TokenTimes(times_ns, tuple(tokens), "continuous_usage")
    if chunks and reply.output_tokens:
        characters = [_characters(chunk) for chunk in chunks]
        scale = reply.output_tokens / sum(characters)
        return TokenTimes(times_ns, tuple(length * scale for length in characters), "final_usage")
    if chunks and tokens_per_character:
        return TokenTimes(times_ns, tuple(_characters(chunk) * tokens_per_character for chunk in chunks), "final_usage")
    return TokenTimes(times_ns, (0.0,) * len(chunks), "none")


def characters(reply: Reply) -> int:
    """Return the characters over which a count at the end is spread."""
    return sum(map(_characters, reply.chunks))


def _characters(chunk: Chunk) -> int:
    return max(1, chunk.answer_chars + chunk.other_chars)

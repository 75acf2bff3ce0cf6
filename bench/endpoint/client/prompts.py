"""Prompts that no cache of the server has seen: unique from the first token, repeatable from a seed."""

import random
from dataclasses import dataclass

from bench.endpoint.client.requests import Prompt

_FIRST_ID = 10  # ids below it are often reserved
_SYLLABLES = tuple(a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u"))


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A supply of prompts."""

    seed: str
    vocabulary: int = 0  # token ids run up to it; 0 makes text
    prompt_tokens: int = 0  # length of a prompt of token ids
    words: int = 0  # length of a prompt of text
    texts: tuple[str, ...] = ()  # a user's own prompts, taken in turn
    lengths: tuple[int, ...] = ()  # lengths taken in turn, instead of prompt_tokens or words

    def prompt(self, index: int) -> Prompt:
        """Return the prompt of one request; each index has its own."""
        if self.texts:
            return self.texts[index % len(self.texts)]
        generator = random.Random(f"{self.seed}:{index}")  # noqa: S311 (a load, no secret)
        length = self.prompt_tokens if self.vocabulary else self.words
        if self.lengths:
            length = self.lengths[index % len(self.lengths)]
        if self.vocabulary:
            span = self.vocabulary - _FIRST_ID
            return tuple(_FIRST_ID + int(generator.random() * span) for _ in range(length))
        return " ".join(generator.choice(_SYLLABLES) + generator.choice(_SYLLABLES) for _ in range(max(1, length)))

"""The shards, drafts and cached prompts that follow the name of an engine: `vllm-ep8-draft3-accept1.8-hit30`."""

import re
from dataclasses import dataclass

from bench.inference.engine import DEFAULT, Engine, engine
from bench.inference.serving import Setup
from hardware_profiles.errors import InputError

WHOLE = r"-(ep|dp|draft)(\d{1,4})(?=-|$)"
DECIMAL = r"-(accept|hit)(\d{1,4}(?:\.\d{1,3})?)(?=-|$)"
MOST_DRAFTED = 32
PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Options:
    """An engine with what its server was started with."""

    engine: Engine
    expert: int  # GPUs that hold whole experts each
    data: int  # copies of attention
    drafted: int  # further tokens that a step tries for each sequence
    accepted: float  # of them that the model accepts on average
    hit_frac: float  # [-] share of each prompt that is in the cache already


def read_options(serving: str | None) -> Options:
    """Return an engine and its options.

    Parameters
    ----------
    serving
        Class of serving engines, with -epN where N GPUs hold whole experts, -dpN where attention has N copies, -draftN
        where a step tries N further tokens, -acceptX where it keeps X of them on average, and -hitP where P per cent of
        each prompt are in the cache already; None is the default class.

    Raises
    ------
    InputError
        The engine is unknown, or an option is not possible.
    """
    text = serving or DEFAULT
    wholes, decimals = re.findall(WHOLE, text), re.findall(DECIMAL, text)
    whole = {name: int(size) for name, size in wholes}
    decimal = {name: float(size) for name, size in decimals}
    if len(wholes) > len(whole) or len(decimals) > len(decimal):
        raise InputError.at("engine", expected="each option once", got=text)
    known = engine(re.sub(DECIMAL, "", re.sub(WHOLE, "", text)))
    drafted, accepted = whole.get("draft"), decimal.get("accept")
    if drafted is not None and not 1 <= drafted <= MOST_DRAFTED:
        raise InputError.at("engine", expected=f"-draftN with 1 to {MOST_DRAFTED} tokens", got=text)
    if (drafted is None) != (accepted is None):
        raise InputError.at("engine", expected="-draftN and -acceptX together", got=text)
    if drafted is not None and accepted is not None and accepted > drafted:
        raise InputError.at("engine", expected=f"-acceptX of at most the {drafted} tokens of -draftN", got=text)
    if decimal.get("hit", 0.0) >= PERCENT:
        raise InputError.at("engine", expected="-hitP with less than 100 per cent", got=text)
    return Options(
        known, whole.get("ep", 1), whole.get("dp", 1), drafted or 0, accepted or 0.0, decimal.get("hit", 0.0) / PERCENT
    )


def stated_words(setup: Setup) -> str:
    """Return what the user stated of the drafts and the cached prompts of a setup, or an empty text."""
    parts = []
    if setup.drafted:
        layer = "by its own layer" if setup.shape.mtp_layers else "by a source whose time is not counted"
        parts.append(
            f"a step tries {setup.drafted} further tokens for each sequence, drafted {layer}, and keeps "
            f"{setup.accepted:g} of them on average"
        )
    if setup.hit_frac:
        parts.append(f"{setup.hit_frac:.0%} of each prompt are in the cache already")
    return " and ".join(parts)

"""The stored constants of all engine classes and device families."""

from functools import cache

from bench.inference.engine import engine, engine_names
from bench.inference.fit import Book
from bench.inference.terms.family import family_named, read_families


@cache
def stored() -> Book:
    """Return the constants as they are stored."""
    return Book({name: engine(name) for name in engine_names()}, {name: family_named(name) for name in read_families()})

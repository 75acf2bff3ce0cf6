"""The one list of words for where a figure comes from; profiles, results and prints share it."""

from typing import Literal, get_args

Basis = Literal["measured", "rated", "modelled", "assumed"]
Confidence = Literal["two_sources", "one_source", "unverified"]
Boundary = Literal["chip", "board", "package", "node", "rack", "wall"]

BASES: tuple[str, ...] = get_args(Basis)
CONFIDENCES: tuple[str, ...] = get_args(Confidence)
BOUNDARIES: tuple[str, ...] = get_args(Boundary)

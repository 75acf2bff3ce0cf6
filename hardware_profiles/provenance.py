"""The terms for the provenance of a figure: its basis, its confidence, and the boundary at which power is drawn."""

from typing import Literal, get_args

Basis = Literal["measured", "rated", "modelled", "assumed"]
Confidence = Literal["two_sources", "one_source", "unverified"]
Boundary = Literal["chip", "board", "package", "node", "rack", "wall"]

BASES: tuple[str, ...] = get_args(Basis)
CONFIDENCES: tuple[str, ...] = get_args(Confidence)
BOUNDARIES: tuple[str, ...] = get_args(Boundary)

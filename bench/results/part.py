"""The base of every part of a result record, and the numbers that it may hold."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

NonNegative = Annotated[FiniteFloat, Field(ge=0)]
Positive = Annotated[FiniteFloat, Field(gt=0)]
MOST = 2**53  # every whole number up to it is a float
Count = Annotated[int, Field(ge=0, le=MOST)]
CountFromOne = Annotated[int, Field(ge=1, le=MOST)]
Interval = tuple[FiniteFloat, FiniteFloat]


class Part(BaseModel):
    """Base of every part of a record: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

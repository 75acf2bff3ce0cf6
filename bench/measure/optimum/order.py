"""The order in which settings are visited, so that a drift of the device or its room is not taken for their effect."""

import random
from collections.abc import Sequence
from typing import Literal, TypeVar

Order = Literal["random", "there-and-back"]
ORDERS: tuple[Order, ...] = ("random", "there-and-back")
T = TypeVar("T")


def walk(settings: Sequence[T], order: Order, rounds: int, seed: str) -> list[T]:
    """Return the settings in the order of their visits; the last visit is always to the first setting again.

    No setting follows itself: a second visit that was not left in between would show nothing new.

    Parameters
    ----------
    settings
        Different settings; one that is visited there and back begins with the first of them.
    order
        `random` draws the order of each round anew. `there-and-back` turns it round after each round, so that a steady
        drift changes the means of all settings alike.
    rounds
        How often each setting is visited. The setting at which a walk there and back turns round is visited once less.
    seed
        Of the random orders.
    """
    if len(settings) < 2:
        return list(settings) * rounds
    generator = random.Random(seed)  # noqa: S311 (an order, no secret)
    visits: list[T] = []
    for round_ in range(rounds):
        turn = list(settings)
        if order == "random":
            generator.shuffle(turn)
            if round_ and round_ == rounds - 1:  # the first setting closes the walk
                turn.remove(visits[0])
                turn.append(visits[0])
            if visits and turn[0] == visits[-1]:
                turn[:2] = turn[1::-1]
        elif round_ % 2:
            turn = turn[-2::-1]
        elif round_:
            turn = turn[1:]
        visits += turn
    return visits if visits[-1] == visits[0] else [*visits, visits[0]]

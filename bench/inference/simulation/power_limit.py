"""A simulated server at work: its load while it computes, and the speed that a power limit of its GPUs leaves it."""

from collections.abc import Callable

import numpy as np

from bench.inference.power.activity import Load
from bench.inference.power.estimate import watts_of
from bench.inference.serving import Setup
from bench.inference.simulation.serve import Served
from hardware_profiles.errors import InputError

ROUNDS = 20
TOLERANCE_FRAC = 1e-3  # [-] of the speed between two rounds


def full_clock_load(setup: Setup, served: Served, speed: float) -> Load:
    """Return the load of a server in the time that it computes, as it would be without a power limit.

    Parameters
    ----------
    setup
        The model on its device.
    served
        The simulated requests.
    speed
        Speed of its steps over that without a power limit.

    Notes
    -----
    The host's time counts where it adds to that of the device. A host that works meanwhile is taken to be faster.
    """
    inputs, outputs = (float(np.mean(lengths)) for lengths in (served.requests.input_len, served.requests.output_len))
    tokens = len(served.requests) * outputs
    constants, busy_s = setup.constants, served.busy_s * speed
    host_s = served.steps * constants.host_step_s + tokens * constants.host_sequence_s / setup.data
    host_frac = 0.0 if constants.host_overlaps else min(1.0, host_s / busy_s)
    return Load(tokens / busy_s, tokens / served.steps, inputs, outputs, inputs + outputs / 2.0, host_frac)


def limited_speed(setup: Setup, cap_w: float, simulate: Callable[[float], Served]) -> tuple[Served, float]:
    """Return requests under a power limit, and the speed of the steps over that without it.

    A slower server has fuller steps, which draw more, so that the speed follows from rounds of simulation.

    Parameters
    ----------
    setup
        The model on its device.
    cap_w
        Power limit of each GPU [W].
    simulate
        Simulates the requests at a speed.

    Raises
    ------
    InputError
        The power limit is outside the range of the device, or no watts of the device are known.
    """
    speed = 1.0
    for _ in range(ROUNDS):
        served = simulate(speed)
        watts = watts_of(setup, full_clock_load(setup, served, speed), cap_w)
        if watts is None:
            raise InputError.at("power cap", expected="a device whose watts are modelled", got=setup.device.slug)
        if abs(watts.rate_frac - speed) <= TOLERANCE_FRAC:
            return served, speed
        speed = watts.rate_frac
    return simulate(speed), speed

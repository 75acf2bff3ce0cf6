"""The watts of a modelled load, with or without a lower power limit, and their error."""

import math
from dataclasses import dataclass, replace

from bench.inference.engine import Holdout
from bench.inference.power.activity import Load, activity
from bench.inference.power.cap import Capped, capped
from bench.inference.power.classes import Served
from bench.inference.power.gpu import Family, family_of
from bench.inference.power.node import node_rms_ln, node_watts
from bench.inference.serving import Setup


@dataclass(frozen=True, slots=True)
class Watts:
    """The modelled watts of one of the GPUs that serve a load."""

    family: Family
    gpu_w: float  # [W] of the GPU
    cap_w: float | None  # [W] lower power limit of the GPU, or None for the one that it ships with
    clock_frac: float  # [-] clock over that without the lower limit
    rate_frac: float  # [-] rate over that without the lower limit
    is_tested: bool  # whether rows with watts of this very device were predicted
    holdout: Holdout  # errors of a GPU's watts for this class of models on rows that were not fitted

    @property
    def is_estimate(self) -> bool:
        """Whether no watts of the family under a load were published, so that its error is assumed."""
        return self.family.estimate_ln is not None

    @property
    def node_w(self) -> float:
        """Input power of the server over its GPUs [W]."""
        return node_watts(self.gpu_w)

    @property
    def node_rms_ln(self) -> float:
        """Root mean square of the logarithmic errors of a node's watts, those of its GPUs included."""
        return math.hypot(self.holdout.rms_ln, node_rms_ln())

    def joule_rms_ln(self, rate_rms_ln: float) -> float:
        """Return the root mean square of the logarithmic errors of a node's energy per token.

        Parameters
        ----------
        rate_rms_ln
            That of the rate, whose errors are taken as independent of the watts'.
        """
        return math.hypot(self.node_rms_ln, rate_rms_ln)


def watts_of(setup: Setup, load: Load, cap_w: float | None = None, busy_frac: float = 1.0) -> Watts | None:
    """Return the watts of a load, or None where they are not known well enough to plan with.

    No watts were published for some devices, and the error of some classes of models is too large. An estimate is not
    known under a lower power limit.

    Parameters
    ----------
    setup
        The model on its device.
    load
        The load at full clock, in the time that the server computes.
    cap_w
        Power limit of each GPU [W] below the one that it ships with, or None.
    busy_frac
        Share of time in which it computes, slowed down by the limit. In the rest a GPU draws what it does without work.

    Raises
    ------
    InputError
        The limit is above the one that the device ships with, or below what it draws at its lowest clock.
    """
    family, limit_w = family_of(setup.device.slug), setup.device.limit_w
    holdout = None if family is None else family.holdout(_served(setup))
    if family is None or limit_w is None or holdout is None or holdout.is_doubtful:
        return None
    if cap_w is not None and family.estimate_ln is not None:
        return None
    read = replace(load, input_len=load.input_len * (1.0 - setup.hit_frac))
    does = activity(_served(setup), setup.device, setup.gpus, read)
    found: Capped = capped(family, limit_w, does, cap_w)
    is_tested = setup.device.slug in family.tested
    gpu_w = busy_frac * found.gpu_w + (1.0 - busy_frac) * family.idle_frac * limit_w
    return Watts(family, gpu_w, cap_w, found.clock_frac, found.rate_frac, is_tested, holdout)


def unknown_watts(setup: Setup) -> str:
    """Return why the watts of a setup are not modelled."""
    family = family_of(setup.device.slug)
    if family is None:
        return f"no watts of {setup.device.slug} under a load were published"
    holdout = family.holdout(_served(setup))
    if holdout is None:
        return f"no watts of such models on {family.name} GPUs were published"
    return (
        f"for models such as {setup.shape.name} in {setup.kind.name} they are off by {holdout.error_frac:.0%} on "
        f"{holdout.rows} published rows of {family.name} GPUs"
    )


def _served(setup: Setup) -> Served:
    return Served(setup.shape, setup.kind, setup.engine.name)

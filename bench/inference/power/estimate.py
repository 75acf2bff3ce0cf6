"""The watts of a modelled load, with or without a lower power limit, and their error."""

import math
from dataclasses import dataclass

from bench.inference.engine import Holdout
from bench.inference.power.activity import Load, activity
from bench.inference.power.cap import Capped, capped
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

    @property
    def node_w(self) -> float:
        """Input power of the server over its GPUs [W]."""
        return node_watts(self.gpu_w)

    @property
    def holdout(self) -> Holdout:
        """Errors of a GPU's watts on rows that were not fitted."""
        return self.family.holdout

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


def watts_of(setup: Setup, load: Load, cap_w: float | None = None) -> Watts | None:
    """Return the watts of a load, or None for a device of which no watts were published.

    Parameters
    ----------
    setup
        The model on its device.
    load
        The load at full clock.
    cap_w
        Power limit of each GPU [W] below the one that it ships with, or None.

    Raises
    ------
    InputError
        The limit is above the one that the device ships with, or below what it draws at its lowest clock.
    """
    family, limit_w = family_of(setup.device.slug), setup.device.limit_w
    if family is None or limit_w is None:
        return None
    does = activity(setup.shape, setup.kind, setup.device, setup.gpus, load)
    found: Capped = capped(family, limit_w, does, cap_w)
    return Watts(
        family, found.gpu_w, cap_w, found.clock_frac, found.rate_frac, setup.device.slug in family.tested
    )  # fmt: skip

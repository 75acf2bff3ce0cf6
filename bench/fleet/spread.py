"""The spread between units of one model, its interval, the mean of the units, and quantiles of their distribution."""

import math
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist

import numpy as np

from bench import limits
from bench.fleet.errors import Figures, Weighted, satterthwaite
from bench.measure.stats import half_width, t_quantile

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TAIL = (1.0 - limits.CONFIDENCE) / 2.0
_STEPS = 48  # in the search for the lower end of an interval, which need not be the only crossing
_EXACT = 1e6  # degrees of freedom from which F is a chi-square


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of one figure over the units of a model, each uncertainty relative to the figure [-]."""

    units: int
    mean_log: float  # [-] of the units' figures
    sd_frac: float  # standard deviation between units
    sd_interval: tuple[float, float]  # 95 %
    weight_frac: float  # sum of the squared weights of the units in the mean: 1/units where all weigh alike
    u_own_frac: float  # standard uncertainty of the mean by what each unit has alone
    u_common_frac: float  # standard uncertainty of the mean by what units share: their meters
    dof: float  # degrees of freedom of the first two
    inflation: float  # factor on the first two for a scatter that is larger than they let expect, at least 1
    scatter_frac: float  # standard deviation of the figures as they were measured
    alike: bool  # whether the figures differ less than their stated errors let expect

    @property
    def quantile(self) -> float:
        """Student's two-sided quantile of the mean's interval [-]."""
        return t_quantile(self.dof)

    @property
    def mean(self) -> float:
        """The mean over the units, in the unit of the figure."""
        return math.exp(self.mean_log + self.sd_frac**2 / 2.0)

    @property
    def mean_interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean of all units of the model, in the unit of the figure."""
        half = self.half_log()
        return (self.mean * math.exp(-half), self.mean * math.exp(half))

    def half_log(self, units: float = math.inf) -> float:
        """Return half of the 95 % interval of the mean of so many units [-], among which are those that were measured.

        Notes
        -----
        A site's units are a sample of their model, as are the measured ones among them: the spread adds its variance
        times 1/measured - 1/units.
        """
        sampled = abs(self.weight_frac - 1.0 / units)
        spread_frac = math.sqrt(self.sd_frac**2 * sampled + self.u_own_frac**2) * self.inflation
        return half_width(spread_frac, self.dof, self.u_common_frac)

    def quantiles(self) -> dict[float, tuple[float, tuple[float, float]]]:
        """Return quantiles of the units' true figures and the 95 % interval of each, in the unit of the figure.

        Notes
        -----
        The logarithms of the units are taken as normal. The interval of mean + z sd joins those of the mean and of the
        standard deviation: each end takes from both parts what moves it outwards, and adds them as squares. Where the
        spread may be 0, the inner end is that of the mean.

        References
        ----------
        G. Y. Zou and A. Donner (2008), Statistics in Medicine 27, 1693.
        """
        low, high = self.sd_interval
        half = self.half_log()
        quantiles = {}
        for share in QUANTILES:
            z = NormalDist().inv_cdf(share)
            middle = self.mean_log + z * self.sd_frac
            outer = math.hypot(half, z * (high - self.sd_frac))
            inner = math.hypot(half, z * (self.sd_frac - low)) if low > 0.0 else half + abs(z) * self.sd_frac
            down, up = (inner, outer) if z > 0.0 else (outer, inner)
            quantiles[share] = (math.exp(middle), (math.exp(middle - down), math.exp(middle + up)))
        return quantiles


def spread(figures: Figures) -> Spread:
    """Return the distribution of a figure over two or more units.

    Raises
    ------
    ValueError
        There are fewer than two units.

    Notes
    -----
    The variance between units is estimated by restricted maximum likelihood. Its interval has every variance t for
    which the weighted scatter Q(t) of the figures lies within the quantiles of its distribution: chi-square with k - 1
    degrees of freedom for known errors, and F where the scatter of the windows is itself estimated. The mean has
    Student's quantile, and the factor of Knapp and Hartung where it is above 1.

    References
    ----------
    R. C. Paule and J. Mandel (1982), J. Res. NBS 87, 377; W. Viechtbauer (2007), Statistics in Medicine 26, 37;
    G. Knapp and J. Hartung (2003), Statistics in Medicine 22, 2693.
    """
    count = figures.logs.size
    if count < 2:
        raise ValueError("a spread needs two or more units")
    between = restricted_likelihood(figures)
    low, high = _interval(figures)
    fitted = Weighted(figures, between)
    weights = fitted.weights
    weight_frac, own = float(weights @ weights), float(weights**2 @ figures.own)
    certain = (between + own / weight_frac) ** 2 * fitted.trace_of_square  # k - 1 where all errors are equal
    by_group = np.bincount(figures.group, weights, figures.shared.size)
    return Spread(
        units=count,
        mean_log=fitted.mean,
        sd_frac=math.sqrt(between),
        sd_interval=(math.sqrt(min(low, between)), math.sqrt(max(high, between))),
        weight_frac=weight_frac,
        u_own_frac=math.sqrt(own),
        u_common_frac=math.sqrt(float(by_group**2 @ figures.shared)),
        dof=min(max(certain, 1.0), count - 1.0),
        inflation=math.sqrt(max(1.0, fitted.scatter / (count - 1))),
        scatter_frac=float(figures.logs.std(ddof=1)),
        alike=high == 0.0,
    )


def restricted_likelihood(figures: Figures) -> float:
    """Return the variance between units [-] by restricted maximum likelihood, 0 where the errors explain the scatter.

    Notes
    -----
    Its root is where y' P P y equals the trace of P.
    """
    from scipy.optimize import brentq

    def score(between: float) -> float:
        fitted = Weighted(figures, between)
        return float(fitted.projected @ fitted.projected) / fitted.trace - 1.0

    least, most = _variance(figures) * 1e-9, _variance(figures) * 4.0
    if least == 0.0 or score(least) <= 0.0:
        return 0.0
    while score(most) > 0.0:
        most *= 4.0
    return float(brentq(score, least, most, rtol=1e-9))


def _variance(figures: Figures) -> float:
    return float(figures.logs.var(ddof=1))


def _interval(figures: Figures) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the variance between units [-]."""
    from scipy.optimize import brentq

    tails = partial(_tails, figures)
    if tails(0.0)[0] < _TAIL:  # the figures differ less than their errors let expect
        return 0.0, 0.0
    variance = _variance(figures)
    most = variance
    while tails(most)[0] > _TAIL:
        most *= 4.0
    upper = brentq(lambda between: tails(between)[0] - _TAIL, 0.0, most, xtol=variance * 1e-9)
    if tails(0.0)[1] >= _TAIL:
        return 0.0, float(upper)
    steps = [0.0, *np.geomspace(variance * 1e-6, most, _STEPS).tolist()]
    at = next(number for number, between in enumerate(steps) if tails(between)[1] >= _TAIL)
    lower = brentq(lambda between: tails(between)[1] - _TAIL, steps[at - 1], steps[at], xtol=variance * 1e-9)
    return float(lower), float(upper)


def _tails(figures: Figures, between: float) -> tuple[float, float]:
    """Return the probabilities [-] of less and of more weighted scatter than was seen, for a variance between units."""
    from scipy.special import chdtr, chdtrc, fdtr, fdtrc

    fitted, dof = Weighted(figures, between), figures.logs.size - 1.0
    below = satterthwaite(figures.scatter_dof, fitted.scatter_share())
    if below > _EXACT:
        return float(chdtr(dof, fitted.scatter)), float(chdtrc(dof, fitted.scatter))
    return float(fdtr(dof, below, fitted.scatter / dof)), float(fdtrc(dof, below, fitted.scatter / dof))

"""The means of settings over their visits, corrected for a steady drift, and the settings that may be the best."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.measure import stats

CONFIDENCE = 0.95  # [-] with which the true optimum is in the range


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit to a setting."""

    setting: str
    at_s: float  # [s] middle of its windows
    values: tuple[float, ...]  # one figure a window, above 0


@dataclass(frozen=True)
class Fit:
    """The logarithmic means of settings, fitted to their visits."""

    settings: tuple[str, ...]
    log_means: tuple[float, ...]  # one a setting, at the mean time of all visits
    unscaled: np.ndarray  # [-] covariance of the means over the variance of a visit
    sd: float  # [-] standard deviation of a visit
    dof: float  # degrees of freedom of `sd`
    drift_interval_per_h: tuple[float, float]  # [1/h] 95 % interval of the relative drift

    @cached_property
    def at(self) -> dict[str, int]:
        """The position of each setting."""
        return {setting: index for index, setting in enumerate(self.settings)}

    def mean(self, setting: str) -> float:
        """Return the geometric mean of a setting, in the unit of the values."""
        return math.exp(self.log_means[self.at[setting]])

    def interval(self, setting: str, u_systematic_frac: float = 0.0) -> tuple[float, float]:
        """Return the 95 % interval of a setting's mean, with what is alike in all visits, such as the meter's error."""
        i = self.at[setting]
        u = self.sd * math.sqrt(self.unscaled[i, i])
        half = stats.half_width(u, self.dof, u_systematic_frac)
        return math.exp(self.log_means[i] - half), math.exp(self.log_means[i] + half)

    def difference(self, a: str, b: str) -> tuple[float, float]:
        """Return the logarithm of a over b, and its standard uncertainty [-]."""
        i, j = self.at[a], self.at[b]
        c = self.unscaled
        return self.log_means[i] - self.log_means[j], self.sd * math.sqrt(c[i, i] + c[j, j] - 2.0 * c[i, j])


def fit(visits: Sequence[Visit]) -> Fit | None:
    """Fit means and a steady drift to the visits, or return None if too few settings were visited twice.

    Notes
    -----
    y = mean of the setting + drift · time + e, by least squares on the mean logarithm of each visit. The visit is the
    unit of the experiment: windows of one visit share its temperature and the state of the device's own tuning, so
    their scatter alone would promise too much (Hurlbert 1984). The scatter of the visits about the fit is not taken
    below the one that the scatter of the windows causes.

    References
    ----------
    S. H. Hurlbert, Pseudoreplication and the design of ecological field experiments, Ecological Monographs 54 (1984),
    187-211.
    """
    settings = tuple(dict.fromkeys(visit.setting for visit in visits))
    dof = len(visits) - len(settings) - 1
    if dof < 1:
        return None
    logs = np.array([_log_mean(visit.values) for visit in visits])
    times_h = np.array([visit.at_s for visit in visits]) / 3600.0
    times_h -= times_h.mean()
    design = np.zeros((len(visits), len(settings) + 1))
    for row, visit in enumerate(visits):
        design[row, settings.index(visit.setting)] = 1.0
    design[:, -1] = times_h
    known, _, rank, _ = np.linalg.lstsq(design, logs, rcond=None)
    if rank < design.shape[1]:
        return None
    unscaled = np.linalg.inv(design.T @ design)
    residual = float(np.sum((logs - design @ known) ** 2)) / dof
    sd = math.sqrt(max(residual, _variance_by_windows(visits)))
    drift, half = float(known[-1]), stats.t_quantile(dof) * sd * math.sqrt(unscaled[-1, -1])
    return Fit(
        settings, tuple(map(float, known[:-1])), unscaled[:-1, :-1], sd, float(dof), (drift - half, drift + half)
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """The best setting, and those that may be the best as well."""

    best: str
    alike: tuple[str, ...]  # settings that are not shown to be worse; the best is among them
    by_visits: bool  # whether the scatter between visits is in it, not only that of the windows


def choose(visits: Sequence[Visit], *, highest: bool = False) -> Choice:
    """Return the setting with the least figure (or the highest), and those that cannot be told apart from it.

    Parameters
    ----------
    visits
        One or more visits to each setting.
    highest
        Whether more is better.

    Notes
    -----
    Multiple comparisons with the best: a setting is left out if another one is better by a one-sided t-test at
    5 %/(k - 1) for k settings. The true optimum is left out only if one of its k - 1 comparisons is wrong, so it is in
    the range with a probability of at least 95 %, whatever the shape of the curve (Gupta 1965, Edwards and Hsu 1983; by
    Bonferroni's inequality, Dunn 1961). The test uses the scatter between visits where `fit` knows it, else Welch's
    test on the windows, which cannot see it.

    References
    ----------
    S. S. Gupta, On some multiple decision (selection and ranking) rules, Technometrics 7 (1965), 225-245.
    D. G. Edwards and J. C. Hsu, Multiple comparisons with the best treatment, Journal of the American Statistical
    Association 78 (1983), 965-971.
    O. J. Dunn, Multiple comparisons among means, Journal of the American Statistical Association 56 (1961), 52-64.
    """
    fitted = fit(visits)
    sign = -1.0 if highest else 1.0
    settings = tuple(dict.fromkeys(visit.setting for visit in visits))
    compare = _by_windows(visits) if fitted is None else _by_fit(fitted)
    means = {setting: sign * (_pooled(visits, setting) if fitted is None else fitted.log_means[fitted.at[setting]])
             for setting in settings}  # fmt: skip
    best = min(settings, key=means.__getitem__)
    one_sided = (1.0 - CONFIDENCE) / max(1, len(settings) - 1)

    def is_worse(a: str, b: str) -> bool:
        difference, u, dof = compare(a, b)
        return not math.isinf(u) and sign * difference > stats.t_quantile(dof, 1.0 - 2.0 * one_sided) * u

    alike = tuple(a for a in settings if not any(a != b and is_worse(a, b) for b in settings))
    return Choice(best, alike, fitted is not None)


def _by_fit(fitted: Fit) -> Callable[[str, str], tuple[float, float, float]]:
    return lambda a, b: (*fitted.difference(a, b), fitted.dof)


def _by_windows(visits: Sequence[Visit]) -> Callable[[str, str], tuple[float, float, float]]:
    """Return the comparison of two settings by Welch's test on all their windows; infinite for a single window."""
    logs: dict[str, list[float]] = {visit.setting: [] for visit in visits}
    for visit in visits:
        logs[visit.setting] += [math.log(value) for value in visit.values]

    def compare(a: str, b: str) -> tuple[float, float, float]:
        difference = _mean(logs[a]) - _mean(logs[b])
        if min(len(logs[a]), len(logs[b])) < 2:
            return difference, math.inf, math.inf
        parts = [(math.sqrt(_variance(one) / len(one)), len(one) - 1.0) for one in (logs[a], logs[b])]
        return difference, math.hypot(*(u for u, _ in parts)), stats.effective_dof(parts)

    return compare


def _pooled(visits: Sequence[Visit], setting: str) -> float:
    return _mean([math.log(value) for visit in visits if visit.setting == setting for value in visit.values])


def _variance_by_windows(visits: Sequence[Visit]) -> float:
    """Return the variance [-] of a visit's mean that the scatter of its windows causes, pooled over the visits."""
    many = [visit.values for visit in visits if len(visit.values) > 1]
    if not many:
        return 0.0
    squares = sum(_variance([math.log(value) for value in values]) * (len(values) - 1) for values in many)
    return squares / sum(len(values) - 1 for values in many) / _mean([float(len(values)) for values in many])


def _log_mean(values: Sequence[float]) -> float:
    return _mean([math.log(value) for value in values])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    """Return the sample variance of two or more values."""
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)

"""Random numbers of a counter: Philox 4x32-10, and normals by the inverse of the normal distribution.

A number depends on (run, stream, place, scenario, draw) alone, so any split of the work gives the same bits.
Imported only where scenarios are drawn (it imports Numba).

References: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11 (Philox); M. J. Wichura, algorithm
AS 241, Applied Statistics 37 (1988), 477 (inverse of the normal distribution, PPND16).
"""

from __future__ import annotations

import numpy as np

from sites.jit import site_njit

_LOW = np.uint64(0xFFFFFFFF)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_32, _12 = np.uint64(32), np.uint64(12)
_ROUNDS = 10
_UNIT = 1.0 / 4503599627370496.0  # 2^-52; with the half added below it is exact, and never 0 or 1


@site_njit
def philox(c0, c1, c2, c3, k0, k1):
    """Return four random words of 32 bits from a counter of four and a key of two, each a uint64 below 2^32."""
    for _ in range(_ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@site_njit
def _ratio(r, p0, p1, p2, p3, p4, p5, p6, p7, q1, q2, q3, q4, q5, q6, q7):
    above = ((((((p7 * r + p6) * r + p5) * r + p4) * r + p3) * r + p2) * r + p1) * r + p0
    below = ((((((q7 * r + q6) * r + q5) * r + q4) * r + q3) * r + q2) * r + q1) * r + 1.0
    return above / below


@site_njit
def normal_quantile(p):
    """Return the value below which a standard normal is with probability p, 0 < p < 1; relative error about 1e-16."""
    q = p - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(
            0.180625 - q * q,
            3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
            4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
            4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
            3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
        )  # fmt: skip
    r = np.sqrt(-np.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        value = _ratio(
            r - 1.6,
            1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
            1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
            2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
            1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
        )  # fmt: skip
    else:
        value = _ratio(
            r - 5.0,
            6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
            2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
            5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
            1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
        )  # fmt: skip
    return -value if q < 0.0 else value


@site_njit
def two_normals(run, stream, place, scenario, draw):
    """Return two independent standard normals of the counter; run is below 2^64, the other numbers below 2^32."""
    a, b, c, d = philox(
        np.uint64(draw),
        np.uint64(stream),
        np.uint64(place),
        np.uint64(scenario),
        np.uint64(run) & _LOW,
        np.uint64(run) >> _32,
    )
    first, second = ((a << _32) | b) >> _12, ((c << _32) | d) >> _12
    return normal_quantile((np.float64(first) + 0.5) * _UNIT), normal_quantile((np.float64(second) + 0.5) * _UNIT)

"""Random paths of the uncertain inputs, and the factors on a site's blocks that follow, compiled (it imports Numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.jit import site_njit
from sites.scenarios.kernels.philox import two_normals

if TYPE_CHECKING:
    from sites.arrays import Floats

# Inputs, in the order of correlation matrices.
BTC, DIFFICULTY, POWER, INFERENCE_PRICE, DEMAND, AVAILABILITY = range(6)
INPUTS = 6
# Streams of random numbers, independent of one another.
COMMON_STREAM, SITE_STREAM, DEVICE_STREAM = 1, 2, 3
# How an inference block is paid.
PER_TOKEN, PER_GPU_HOUR, PER_KW_MONTH, PER_HASH = range(4)
_SMALLEST = 0.05


class Factors(NamedTuple):
    """Factors on a site's year in each month and scenario."""

    power: Floats  # on the spot price, shape [M, S]
    worth: Floats  # on each block's worth, shape [B, M, S]
    able: Floats  # on its capacity, shape [B, M, S]
    asked: Floats  # on its demand, shape [B, M, S]
    units: Floats  # on its output, of miners in BTC, shape [B, M, S]


@site_njit
def common_shocks(run, first, factor, shocks):
    """Draw the correlated standard normals that all sites share, for scenarios from `first` on.

    Parameters
    ----------
    run, first
        Seed of the run, and the first scenario.
    factor
        Factor of the correlation matrix C, with C = factor factor', shape [6, 6].
    shocks
        Result, shape [6, steps, S].
    """
    raw = np.empty(INPUTS)
    for s in range(shocks.shape[2]):
        for step in range(shocks.shape[1]):
            for pair in range(INPUTS // 2):
                raw[2 * pair], raw[2 * pair + 1] = two_normals(run, COMMON_STREAM, step, first + s, pair)
            for i in range(INPUTS):
                total = 0.0
                for j in range(INPUTS):
                    total += factor[i, j] * raw[j]
                shocks[i, step, s] = total


@site_njit
def device_factors(run, first, place, rate_spread, power_spread, most, rate, power):
    """Draw the factors rate[S] and power[S] on one device's measured figures from its measurement intervals.

    They are the same in all hours and at all sites, limited to `most` standard deviations and to at least 1/20.
    """
    for s in range(rate.shape[0]):
        z, y = two_normals(run, DEVICE_STREAM, place, first + s, 0)
        rate[s] = max(1.0 + rate_spread * min(max(z, -most), most), _SMALLEST)
        power[s] = max(1.0 + power_spread * min(max(y, -most), most), _SMALLEST)


@site_njit
def input_factors(run, first, place, shocks, steps, outage, most, factors):
    """Draw the factor of each input, month and scenario.

    Parameters
    ----------
    run, first, place
        Seed of the run, the first scenario, and the site's number in random numbers.
    shocks
        Normals that all sites share, shape [6, at least as many steps, S].
    steps
        Recursion of the inputs: model.Steps.
    outage, most
        Mean share of capacity that does not run, and the largest factor on the rest.
    factors
        Result: the last M steps, shape [6, M, S].

    Notes
    -----
    x_m = decay_m x_(m-1) + spread_m z_m with z = sqrt(share) common + sqrt(1 - share) own. The factor is
    exp(mean_m + x_m), and for availability (1 - outage exp(..))/(1 - outage), at most `most`.
    """
    decay, spread, mean, share = steps
    count, kept = decay.shape[1], factors.shape[1]
    state, later = np.empty(factors.shape[2]), np.empty(factors.shape[2])
    for i in range(INPUTS):
        common, own = np.sqrt(share[i]), np.sqrt(1.0 - share[i])
        moves = False
        for step in range(count):
            moves = moves or spread[i, step] != 0.0
        for s in range(factors.shape[2]):
            state[s] = 0.0
        for step in range(count):
            for s in range(factors.shape[2]):
                x = decay[i, step] * state[s]
                if moves:
                    z = common * shocks[i, step, s]
                    if own > 0.0:
                        if step % 2 == 0:
                            here, later[s] = two_normals(run, SITE_STREAM + 16 * (i + 1), place, first + s, step // 2)
                        else:
                            here = later[s]
                        z += own * here
                    x += spread[i, step] * z
                state[s] = x
            if step < count - kept:
                continue
            m = step - (count - kept)
            for s in range(factors.shape[2]):
                level = np.exp(mean[i, step] + state[s])
                if i == AVAILABILITY:
                    level = min((1.0 - min(outage * level, 1.0)) / (1.0 - outage), most)
                factors[i, m, s] = level


@site_njit
def block_factors(factors, paid_per, device, rate, power, btc_usd, result):
    """Compute each block's factors worth, able, asked and units [B, M, S] from the inputs' factors.

    Parameters
    ----------
    factors
        Of the inputs, shape [6, M, S].
    paid_per, device
        Code of how each block is paid, and its row of rate and power, shape [B].
    rate, power
        Of each device, shape [D, S].
    btc_usd
        Bitcoin price [USD/BTC], by which units of mining become BTC.
    result
        Factors, whose arrays other than power are written.
    """
    worth, able, asked, units = result.worth, result.able, result.asked, result.units
    for k in range(paid_per.shape[0]):
        r, q = rate[device[k]], power[device[k]]
        kind = paid_per[k]
        for m in range(factors.shape[1]):
            for s in range(factors.shape[2]):
                able[k, m, s] = factors[AVAILABILITY, m, s] * q[s]
                asked[k, m, s] = factors[DEMAND, m, s] * q[s]
                price_factor = factors[INFERENCE_PRICE, m, s]
                if kind == PER_HASH:
                    hashes = r[s] / q[s] / factors[DIFFICULTY, m, s]
                    worth[k, m, s] = hashes * factors[BTC, m, s]
                    units[k, m, s] = hashes / btc_usd
                elif kind == PER_TOKEN:
                    worth[k, m, s], units[k, m, s] = price_factor * (r[s] / q[s]), r[s] / q[s]
                elif kind == PER_GPU_HOUR:
                    worth[k, m, s], units[k, m, s] = price_factor / q[s], 1.0 / q[s]
                else:
                    worth[k, m, s], units[k, m, s] = 1.0, 1.0  # a contract fixes the rent and when power may be off

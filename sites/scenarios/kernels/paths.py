"""Paths of the uncertain inputs, drawn and turned into factors of a site's blocks, compiled (it imports Numba)."""

from __future__ import annotations

import numpy as np

from sites.jit import site_njit
from sites.scenarios.kernels.philox import two_normals

# Inputs, in the order of correlation matrices.
BTC, DIFFICULTY, POWER, INFERENCE_PRICE, DEMAND, AVAILABILITY = range(6)
INPUTS = 6
# Streams of random numbers: apart from one another whatever the place.
COMMON_STREAM, SITE_STREAM, DEVICE_STREAM = 1, 2, 3
# How an inference block is paid.
PER_TOKEN, PER_GPU_HOUR, PER_KW_MONTH, PER_HASH = range(4)
_SMALLEST = 0.05


@site_njit
def common_shocks(run, first, factor, shocks):
    """Correlated standard normals that all sites share, shocks[6, steps, S], for scenarios from `first` on.

    factor: [6, 6] with factor factor' the correlation matrix.
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
    """Factors rate[S] and power[S] on one device's measured figures: what its intervals leave open.

    The same in all hours and at all sites; `most` standard deviations at the utmost, and at least 1/20.
    """
    for s in range(rate.shape[0]):
        z, y = two_normals(run, DEVICE_STREAM, place, first + s, 0)
        rate[s] = max(1.0 + rate_spread * min(max(z, -most), most), _SMALLEST)
        power[s] = max(1.0 + power_spread * min(max(y, -most), most), _SMALLEST)


@site_njit
def input_factors(run, first, place, shocks, decay, spread, mean, share, outage, most, state, later, factors):
    """Factor of each input, month and scenario: factors[6, M, S].

    x_m = decay_m x_(m-1) + spread_m z_m with z = sqrt(share) common + sqrt(1 - share) own; the factor is
    exp(mean_m + x_m), and for availability (1 - outage exp(..))/(1 - outage), at most `most`.

    shocks: [6, >= steps, S]. decay, spread, mean: [6, steps]. The last M of the steps are written.
    """
    steps = decay.shape[1]
    kept = factors.shape[1]
    for i in range(INPUTS):
        common, own = np.sqrt(share[i]), np.sqrt(1.0 - share[i])
        moves = False
        for step in range(steps):
            moves = moves or spread[i, step] != 0.0
        for s in range(factors.shape[2]):
            state[s] = 0.0
        for step in range(steps):
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
            if step < steps - kept:
                continue
            m = step - (steps - kept)
            for s in range(factors.shape[2]):
                level = np.exp(mean[i, step] + state[s])
                if i == AVAILABILITY:
                    level = min((1.0 - min(outage * level, 1.0)) / (1.0 - outage), most)
                factors[i, m, s] = level


@site_njit
def block_factors(factors, paid_per, device, rate, power, btc_usd, worth, able, asked, units):
    """From the inputs' factors to those of each block: worth, able, asked, units, each [B, M, S].

    paid_per: [B]; device: [B] row of rate[D, S] and power[D, S]. Units of mining come out in BTC.
    """
    for k in range(paid_per.shape[0]):
        r, q = rate[device[k]], power[device[k]]
        kind = paid_per[k]
        for m in range(factors.shape[1]):
            for s in range(factors.shape[2]):
                able[k, m, s] = factors[AVAILABILITY, m, s] * q[s]
                asked[k, m, s] = factors[DEMAND, m, s] * q[s]
                price = factors[INFERENCE_PRICE, m, s]
                if kind == PER_HASH:
                    hashes = r[s] / q[s] / factors[DIFFICULTY, m, s]
                    worth[k, m, s] = hashes * factors[BTC, m, s]
                    units[k, m, s] = hashes / btc_usd
                elif kind == PER_TOKEN:
                    worth[k, m, s], units[k, m, s] = price * (r[s] / q[s]), r[s] / q[s]
                elif kind == PER_GPU_HOUR:
                    worth[k, m, s], units[k, m, s] = price / q[s], 1.0 / q[s]
                else:
                    worth[k, m, s], units[k, m, s] = price, 1.0

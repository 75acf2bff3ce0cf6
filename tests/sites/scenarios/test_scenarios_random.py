"""Random numbers against references: Philox's published answers, SciPy's quantiles, and their moments."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import kstest

from sites.scenarios.kernels.philox import normal_quantile, philox, two_normals
from sites.scenarios.kernels.vectors import LANES

# Known answers of philox4x32-10 in the Random123 distribution (kat_vectors).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_gives_its_published_answers(counter, key, words):
    assert tuple(int(word) for word in philox(*map(np.uint64, counter), *map(np.uint64, key))) == words


def test_the_normal_quantile_is_scipys():
    p = np.concatenate([np.logspace(-300, -1, 500), np.linspace(0.1, 0.9, 501), 1 - np.logspace(-15, -1, 200)])
    ours = np.array([normal_quantile(x) for x in p])
    assert ours == pytest.approx(ndtri(p), rel=2e-14, abs=1e-15)


def test_draws_are_normal_and_depend_on_every_part_of_their_place():
    base = (5, 1, 2, 3, 4)
    drawn = {two_normals(np.uint64(base[0]), *base[1:])}
    for part in range(5):
        moved = [value + (index == part) for index, value in enumerate(base)]
        drawn.add(two_normals(np.uint64(moved[0]), *moved[1:]))
    assert len(drawn) == 6
    many = np.array([two_normals(np.uint64(1), 1, 1, s, 0) for s in range(5000)]).ravel()
    assert kstest(many, "norm").pvalue > 0.01


def test_a_vector_has_the_lanes_that_shards_are_padded_to():
    from sites.scenarios import engine as fleet

    assert fleet.LANES == LANES
    assert fleet.TILE % LANES == 0
    assert fleet.SHARD % fleet.TILE == 0

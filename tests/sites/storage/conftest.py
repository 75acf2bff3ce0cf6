"""Random weeks of a site with a battery and with blocks that have start costs."""

import numpy as np
import pytest

from sites.storage.hours import NO_BATTERY, Steps, start_arrays
from sites.storage.terms import Battery, StartTerms

KINDS = ("battery", "starts", "both")


def random_steps(seed, hours=168, units=0, *, charge=0.0, most_hours=8):
    """Steps with negative prices, a limit that falls, a contract, export, and units whose hours differ."""
    r = np.random.default_rng(seed)
    price = 45 + 25 * np.sin(np.arange(hours) * 2 * np.pi / 24) + r.normal(0, 25, hours)
    price[r.random(hours) < 0.02] *= 10
    limit = np.where(r.random(hours) < 0.05, r.uniform(5, 40, hours), 50.0)
    contract = r.choice([0.0, 10.0])
    near = price - r.uniform(0, 5, hours) * (contract > 0)
    within = np.minimum(contract, limit)
    exported = limit if r.random() < 0.4 else np.zeros(hours)
    must = np.minimum(2.0, limit)
    worth, cap, unit = [], [], []
    for _ in range(2):
        worth.append(r.uniform(50, 120) * r.uniform(0.8, 1.2, hours))
        cap.append(r.uniform(5, 15) * r.uniform(0.8, 1, hours))
        unit.append(-1)
    base, base_worth, terms = np.zeros((units, hours)), np.zeros((units, hours)), []
    for u in range(units):
        base[u], base_worth[u] = r.uniform(10, 20) * r.uniform(0.9, 1, hours), r.uniform(45, 80)
        if r.random() < 0.5:
            worth.append(np.full(hours, r.uniform(40, 90)))
            cap.append(np.full(hours, r.uniform(2, 8)))
            unit.append(u)
        wake = r.choice([0, 0.25, 0.5, 1.5])
        terms.append(StartTerms(r.integers(1, most_hours), r.integers(1, most_hours), wake, r.uniform(0, 500)))
    if units:
        base *= np.minimum(1.0, (limit - must) / base.sum(axis=0))
    up, down, lost, usd = start_arrays(terms, 1.0)
    return Steps(
        worth=np.array(worth),
        cap_mw=np.array(cap),
        unit=np.array(unit),
        must_mw=must,
        price=np.stack([np.minimum(price - 2, near), near, price]),
        room_mw=np.stack([exported, within, limit - within]),
        base_mw=base,
        base_worth=base_worth,
        up=up,
        down=down,
        lost_frac=lost,
        start_usd=usd,
        month=np.zeros(hours, np.int64),
        charges_usd_per_mw=np.array([charge]),
        day=np.arange(hours) // 24,
        step_h=1.0,
    )


def random_battery(seed, **changes):
    r = np.random.default_rng(1000 + seed)
    into, out = r.uniform(0.8, 1, 2)
    low, start, end, high = np.sort(r.uniform(0, 1, 4))
    wear = r.choice([0.0, 5.0, 20.0])
    given = {"min_frac": low, "max_frac": high, "start_frac": start, "end_frac": end, "wear_usd_per_mwh": wear}
    return Battery(r.uniform(2, 15), r.uniform(20, 60), into, out, **(given | changes))


@pytest.fixture(scope="session")
def make_steps():
    return random_steps


@pytest.fixture(scope="session")
def make_battery():
    return random_battery


@pytest.fixture(scope="session")
def make_week():
    """Return a random week of a kind: its steps and its battery."""

    def week(kind, seed):
        steps = random_steps(seed, units=0 if kind == "battery" else 1)
        return steps, NO_BATTERY if kind == "starts" else random_battery(seed)

    return week

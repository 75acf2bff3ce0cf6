"""The scenario model that is used without a scenario file: volatilities and correlations, with their sources."""

from __future__ import annotations

from sites.market.bitcoin import EPOCH_S, YEAR_S, bundled_epochs
from sites.scenarios.calibration import random_walk
from sites.scenarios.model import ScenarioModel, Uncertain

CALIBRATION_EPOCHS = 52  # two years


def default_model() -> ScenarioModel:
    """Return the model without a scenario file: difficulty from the bundled epochs, all other inputs assumed."""
    epochs = [epoch.hashes_per_block for epoch in bundled_epochs()[-CALIBRATION_EPOCHS:]]
    difficulty = random_walk(epochs, YEAR_S / EPOCH_S).volatility_frac
    last = bundled_epochs()[-1]
    correlation = [[1.0 if i == j else 0.0 for j in range(6)] for i in range(6)]
    correlation[0][1] = correlation[1][0] = 0.3
    return ScenarioModel(
        inputs={
            "btc": Uncertain(0.50, source="assumption", date="unknown"),
            "difficulty": Uncertain(
                difficulty, source=f"bundled difficulty, last {len(epochs)} epochs up to {last.number}", date="unknown"
            ),
            "power": Uncertain(0.30, reversion_per_year=2.0, common_frac=0.3),
            "inference_price": Uncertain(0.40),
            "demand": Uncertain(0.30, common_frac=0.5),
            "availability": Uncertain(0.40, reversion_per_year=4.0, common_frac=0.2),
        },
        correlation=tuple(tuple(row) for row in correlation),
        cases={
            "low": {"btc": 0.6, "difficulty": 1.2, "power": 1.2, "inference_price": 0.6, "demand": 0.7},
            "high": {"btc": 1.5, "difficulty": 1.1, "power": 0.9, "inference_price": 1.2, "demand": 1.3},
        },
    )

"""A profile that passes every check, for tests to spoil in one place."""

import copy
import json
from pathlib import Path

import pytest

FIGURE = {
    "tolerance_pct": 3,
    "basis": "rated",
    "confidence": "one_source",
    "date": "2026-01-02",
    "sources": ["maker"],
}
MINER = {
    "profile_schema": 1,
    "kind": "asic",
    "maker": "Example",
    "model": "Miner 1",
    "released": "2026-01",
    "cooling": "air",
    "environment": {"ambient_min_c": {"value": -5, **FIGURE}, "ambient_max_c": {"value": 40, **FIGURE}},
    "bins": [
        {
            "name": "200t",
            "hash_rate_th_s": {"value": 200, **FIGURE},
            "wall_power_w": {"value": 3500, **FIGURE},
            "stated_j_per_th": {"value": 17.5, **FIGURE},
            "modes": [
                {
                    "name": "low",
                    "hash_rate_th_s": {"value": 150, **FIGURE},
                    "wall_power_w": {"value": 2250, **FIGURE},
                }
            ],
        },
        {
            "name": "188t",
            "hash_rate_th_s": {"value": 188, **FIGURE},
            "wall_power_w": {"value": 3290, **FIGURE},
        },
    ],
    "sources": {
        "maker": {
            "title": "Example's page",
            "kind": "maker",
            "address": "https://example.org/miner-1",
            "read": "2026-01-02",
            "printed": ["200 TH/s, 3,500 W, 17.5 J/TH", "low power: 150 TH/s, 2250 W", "188 TH/s, 3290 W, -5 to 40 °C"],
        }
    },
}


@pytest.fixture
def miner():
    return copy.deepcopy(MINER)


@pytest.fixture
def written(tmp_path):
    """Write a profile's data as TOML and return the file."""

    def write(data: dict, name: str = "example-miner-1.toml") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in data.items()) + "\n", encoding="utf-8")
        return path

    return write


def toml(value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)

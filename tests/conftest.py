"""Hypothesis profiles, and hardware markers that skip with a visible reason or fail where the hardware is required."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("perwatt", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("perwatt")


def _missing(marker: str) -> str:
    """Why tests of a hardware marker cannot run here; empty where they can."""
    if marker == "gpu":
        return "" if shutil.which("nvidia-smi") else "no NVIDIA GPU here: nvidia-smi is not on the PATH"
    if marker == "asic":
        return "" if os.environ.get("PERWATT_ASIC_HOST") else "no ASIC miner: PERWATT_ASIC_HOST is not set"
    if marker == "meter":
        return "" if os.environ.get("PERWATT_METER") else "no real power meter: PERWATT_METER is not set"
    return ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("PERWATT_REQUIRE", "").split(",")
    for marker in ("gpu", "asic", "meter"):
        if item.get_closest_marker(marker) is None:
            continue
        reason = _missing(marker)
        if reason and marker in required:
            pytest.fail(f"PERWATT_REQUIRE={marker}: {reason}", pytrace=False)
        if reason:
            pytest.skip(reason)

"""An operating curve made up for the tests: three useful points, one below a mix of others, and one that is slow."""

from hardware_profiles.errors import InputError
from sites.market.device_rate import DeviceRate, TokenTags
from sites.operating_points import OperatingCurve, OperatingPoint

NAME = "sweep:made-up"
FIGURES = (  # requests at a time, token/s, W, q90 of TPOT [ms]
    (8, 900.0, 300.0, 8.0),
    (12, 950.0, 380.0, 11.0),  # a mix of 8 and 16 makes 1,033 token/s with 380 W
    (16, 1100.0, 420.0, 14.0),
    (64, 1400.0, 700.0, 38.0),
    (128, 1500.0, 710.0, 72.0),
)


def point(at, rate, watts, tpot_ms, **tags):
    """A point with its five tags."""
    words = {"boundary": "node", "power_kind": "measured", "token_basis": "output", "lengths": "512:128±20%"}
    rated = DeviceRate(
        name=f"r{at}", unit="token", rate_per_s=rate, rate_interval_per_s=(rate * 0.99, rate * 1.01), power_w=watts,
        power_interval_w=(watts * 0.98, watts * 1.02), boundary="node", basis="measured", power_basis="measured",
        confidence="one_source", source="made up for the tests", plan="quick", tpot_s=tpot_ms / 1e3,
        tags=TokenTags(**{**words, "latency_limit": "none", **tags}),
    )  # fmt: skip
    latency_s = {"tpot_q50": 0.8 * tpot_ms / 1e3, "tpot_q90": tpot_ms / 1e3, "ttft_q50": 0.1}
    each = watts / rate
    return OperatingPoint(f"{at} at a time", rated, latency_s, (each * 0.97, each * 1.03))


def curve(**changes):
    """The curve; `changes` replace its fields."""
    points = tuple(point(*figures) for figures in FIGURES)
    return OperatingCurve(
        **{"name": NAME, "points": points, "invalid": ("256 at a time: invalid (client_bound)",)} | changes
    )


def resolving(other, **changes):
    """A function that resolves the curve's name, and the others as `other` does."""

    def resolve(name):
        if name.startswith("sweep:") and name != NAME:
            raise InputError.at("device", expected="a known sweep", got=name)
        return curve(**changes) if name == NAME else other(name)

    return resolve

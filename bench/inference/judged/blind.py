"""What the last prediction of a blind file said of the model, for those who read its figures."""

from pathlib import Path

from hardware_profiles.reading import read_toml

BLIND = Path(__file__).parents[1] / "data" / "blind.toml"


def blind_words() -> str:
    """Return the errors on rows that nobody who fitted the constants had read."""
    last = read_toml(BLIND)["last"]
    return (
        f"on {last['rows']} rows of other publishers and of engines of 2026, predicted once and never fitted, it was "
        f"wrong by {last['error_frac']:.0%}, and {last['within_frac']:.0%} of them lay within such intervals"
    )

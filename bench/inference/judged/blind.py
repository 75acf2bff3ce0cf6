"""What the last prediction of a blind file said of the model, for those who read its figures."""

from pathlib import Path

from hardware_profiles.reading import read_toml

BLIND = Path(__file__).parents[1] / "data" / "blind.toml"


def blind_words() -> str:
    """Return the errors on rows of other publishers before they were read, and of those held out since."""
    tables = read_toml(BLIND)
    last, held, third = tables["last"], tables["held_out"], tables["third"]
    return (
        f"on {last['rows']} rows of other publishers and of engines of 2026, predicted once before they were read, it "
        f"was wrong by {last['error_frac']:.0%}, and {last['within_frac']:.0%} of them lay within such intervals; on "
        f"the {held['rows']} of them that are held out since, it is wrong by {held['error_frac']:.0%}, and "
        f"{held['within_frac']:.0%} of them lie within; on {third['rows']} rows of a third file, most of them of older "
        f"engines or of MI300X, predicted once by the present constants, it was wrong by {third['error_frac']:.0%}, "
        f"and {third['within_frac']:.0%} of them lay within"
    )

"""An operating curve in words: the optimum as a range of levels, the drift, and what lessens it."""

from bench.sweep.curve import Curve

METHOD = "comparisons with the best by one-sided t-tests at 5 %/(levels - 1), over visits corrected for a steady drift"
METHOD_OF_WINDOWS = "comparisons with the best by Welch's one-sided test at 5 %/(levels - 1), over windows"


def sentences(curve: Curve) -> list[tuple[str, str]]:
    """Return what a reader should know besides the points, each with a short name."""
    lines = []
    if curve.choice is not None:
        metered = curve.by.startswith("J/")
        what = f"the lowest {curve.by}" if metered else f"the highest {curve.by} (not metered)"
        mean = f"{'lowest' if metered else 'highest'} mean at {curve.choice.best}"
        lines.append(("optimum", f"{', '.join(curve.range)}: {what} is here with 95 % confidence; {mean}"))
        lines.append(("method", METHOD if curve.choice.by_visits else METHOD_OF_WINDOWS))
    if curve.drift is not None:
        low, high = curve.drift
        none = "" if low > 0.0 or high < 0.0 else "; cannot be told from none"
        lines.append(("drift", f"{curve.by} {low:+.2%} to {high:+.2%} over the sweep (95 %){none}"))
    lines += [("no point", words) for words in curve.invalid]
    lines += [("doubt", words) for words in curve.doubts]
    if in_site := _for_a_site(curve):
        lines.append(("in a site", in_site))
    return lines


def _for_a_site(curve: Curve) -> str:
    record = next((record for record in curve.records if record.status == "ok"), None)
    has_power = record is not None and (record.power is not None or record.assumed_power_w is not None)
    if record is None or not has_power or record.run.plan == "smoke" or record.workload.unit not in {"hash", "token"}:
        return ""
    return f'device = "curve:{record.id}"'

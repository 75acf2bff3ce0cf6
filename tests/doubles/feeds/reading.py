"""Reads a market file in a test and compares it with the truth."""

import math

from doubles.feeds.truth import HOUR_S, hourly
from sites.feeds.read import read_feed


def read_text(folder, text, choices=None, feed=None, name="file.csv"):
    """Return the feed of a text (or bytes) that is written to a file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_feed(path, choices, feed)


def differences(feed, start_s, end_s, truth=hourly):
    """Return the hours whose time-weighted mean is not the truth to 1e-9, as {hour: (mean, truth)}."""
    expected = truth(start_s, end_s)
    means = feed.intervals.to_steps(start_s, (end_s - start_s) // HOUR_S)
    pairs = zip(expected.items(), means, strict=True)
    return {hour: (mean, want) for (hour, want), mean in pairs if not math.isclose(mean, want, abs_tol=1e-9)}

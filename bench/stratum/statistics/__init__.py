"""Statistics of shares: the hash rate with its interval, the checks of its assumptions, and the plan of a window."""

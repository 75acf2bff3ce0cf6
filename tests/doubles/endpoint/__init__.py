"""An inference server whose tokens, times, counters and power are known exactly, and which fails in every known way."""

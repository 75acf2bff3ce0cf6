"""Meters that one host reads for others: logs, idle machines behind them, and the joining by the clocks."""

"""Backtest of the mining model against miners' monthly production reports."""

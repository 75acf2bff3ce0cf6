"""The reader of recorded power logs."""

from bench.meters.logs.log import SETTINGS, EmptyLogError, Log
from bench.meters.logs.read import column_names, read_log

__all__ = ["SETTINGS", "EmptyLogError", "Log", "column_names", "read_log"]

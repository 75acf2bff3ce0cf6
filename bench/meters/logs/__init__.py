"""The reader of recorded power logs."""

from bench.meters.logs.log import SETTINGS, EmptyLogError, Log, Samples
from bench.meters.logs.read import LogReader, column_names, read_log

__all__ = ["SETTINGS", "EmptyLogError", "Log", "LogReader", "Samples", "column_names", "read_log"]

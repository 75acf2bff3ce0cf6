"""What comes in from outside a controlled site: prices and load targets, each with what is wrong with it.

`open_inputs` opens the sources that a control file declares. Its `now` is cheap and raises nothing: sources are asked
in threads of their own, the last good content stays, and what is wrong is a line of `Inputs.faults`.
"""

from bench.control.inputs.opened import Clock, OpenInputs, open_inputs
from bench.control.inputs.snapshot import inputs_of, snapshot, snapshot_sha256
from bench.control.inputs.tables import InputTables, PriceTable, Targets, TargetTable

__all__ = [
    "Clock",
    "InputTables",
    "OpenInputs",
    "PriceTable",
    "TargetTable",
    "Targets",
    "inputs_of",
    "open_inputs",
    "snapshot",
    "snapshot_sha256",
]

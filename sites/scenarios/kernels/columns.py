"""Where things stand in the arrays of the fleet's compiled code: columns of hours and blocks, slots of lanes, sums."""

from __future__ import annotations

# Columns of a table's hours, then four for each block.
SPOT, ADDER, CREDIT, RESALE_OVER_SPOT, LIMIT = range(5)
HOUR_COLUMNS = 5
# A block's columns: mining and idle (cap, worth), inference (able, asked, worth, device MW per meter MW).
CAP, WORTH = 0, 1
ABLE, ASKED, PAID, DEVICE = range(4)
BLOCK_COLUMNS = 4
# Sums of a block, and of a site.
METER_MWH, REVENUE_USD, UNITS, SHORT_MWH = range(4)
ROW_SUMS = 4
ENERGY_USD, CHARGE_USD, PENALTY_USD, FORGONE_USD = range(4)
TOTAL_SUMS = 4
# Slots of eight lanes that a block has in the merit order of coupled hours: factors, the hour's own, sums.
WORTH_OF, ABLE_OF, ASKED_OF, UNITS_OF, CAP_NOW, WORTH_NOW, BEFORE_NOW = range(7)
MWH_SUM, MADE_SUM, PASSED_SUM, SHORT_SUM = range(7, 11)
FIRST_SUM, OWN = 7, 11

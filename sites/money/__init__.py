"""Money of a horizon: capex, debt, depreciation, tax and residual values by month, and the measures of its cash."""

"""Pure functions that compute on arrays and neither time nor print anything."""

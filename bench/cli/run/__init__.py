"""`perwatt run` and its reports."""

"""`perwatt yield` and its reports."""

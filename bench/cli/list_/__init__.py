"""`perwatt list`, one module per subject."""

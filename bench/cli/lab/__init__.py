"""`perwatt lab`: one plan for many hosts."""

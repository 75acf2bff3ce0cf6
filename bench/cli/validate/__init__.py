"""`perwatt validate`: our models against published figures."""

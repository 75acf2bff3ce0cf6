"""`perwatt validate`: tests of the models against published figures."""

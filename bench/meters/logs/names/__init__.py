"""Names of columns: the words and units that they hold, in any script."""

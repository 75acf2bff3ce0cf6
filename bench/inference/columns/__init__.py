"""The columns of files with published rates, and the rows that they become."""

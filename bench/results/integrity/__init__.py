"""Checks that a stored result makes sense, is unchanged since it was written, and is signed by whom it says."""

"""What can be run, behind one protocol, and the table that names it."""

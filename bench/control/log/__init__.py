"""The audit log of the controller, what of it is stored between two runs, and its replay."""

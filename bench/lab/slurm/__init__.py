"""A lab run on Slurm: the script that an operator submits, and what its tasks do on the hosts."""

"""A Slurm cluster of Debian's own programs, on this machine and in one folder."""

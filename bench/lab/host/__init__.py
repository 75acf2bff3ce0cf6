"""What runs on a host of a lab: its identity, its jobs, the keeper of a job, and the bundle of a finished one."""

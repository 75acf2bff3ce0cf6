"""Systems for perwatt_check.py: this machine, and a Slurm partition. Change names, nodes and modules to yours."""

site_configuration = {
    "systems": [
        {
            "name": "here",
            "hostnames": [".*"],
            "partitions": [{"name": "cpu", "scheduler": "local", "launcher": "local", "environs": ["perwatt"]}],
        },
        {
            "name": "lab",
            "hostnames": ["login"],
            "partitions": [
                {
                    "name": "gpu",
                    "scheduler": "slurm",
                    "launcher": "local",  # perwatt is one process: srun would only put another one around it
                    "access": ["--partition=gpu", "--no-requeue", "--open-mode=append"],
                    "environs": ["perwatt"],
                    "max_jobs": 1,  # ReFrame knows no power domains: one at a time is what is safe
                }
            ],
        },
    ],
    # Where perwatt is not on the PATH of the hosts: its folder
    "environments": [{"name": "perwatt", "env_vars": []}],
    "logging": [
        {
            "handlers": [{"type": "stream", "name": "stdout", "level": "info", "format": "%(message)s"}],
            "handlers_perflog": [
                {
                    "type": "filelog",
                    "prefix": "%(check_system)s/%(check_partition)s",
                    "level": "info",
                    "format": "%(check_job_completion_time)s,%(check_display_name)s,%(check_system)s,"
                    "%(check_job_nodelist)s,%(check_result)s,%(check_perfvalues)s",
                    "format_perfvars": "%(check_perf_value)s,%(check_perf_unit)s,",
                    "append": True,
                }
            ],
        }
    ],
}

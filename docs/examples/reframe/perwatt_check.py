"""perwatt as a ReFrame test: `reframe -C settings.py -c perwatt_check.py -r`; see docs/lab-slurm.md.

The performance variables are the rate and, where a meter reads this host, the joules a unit of work by boundary.
perwatt ends with 0 if it measured the rate and no meter gave joules: ReFrame keeps the files of a passed test only.
"""

import json
from pathlib import Path

import reframe as rfm
import reframe.utility.sanity as sn
from reframe.core.builtins import run_before, sanity_function, variable


@rfm.simple_test
class PerwattRun(rfm.RunOnlyRegressionTest):
    """One workload of `perwatt run` on one host.

    Set the variables on the command line: `-S workload=matmul_f32_cpu -S plan=publish -S meter=rapl`.
    """

    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    executable = "perwatt"
    workload = variable(str, value="sha256d_scan_cpu")
    plan = variable(str, value="quick")
    meter = variable(str, value="")
    max_pending_time = "1d"
    time_limit = "2h"
    num_tasks_per_node = 1
    exclusive_access = True
    keep_files = ["results"]
    # What a host of a system is expected to do, with the share below and above that passes. Replace the names and
    # figures: these are invented. A system that is not here has no reference, and its figures are only recorded.
    reference = {
        "lab:gpu": {"rate": (4.0e7, -0.05, 0.10, "hash/s")},
    }

    @run_before("run")
    def set_options(self):
        """Ask for one workload, its results in the stage folder."""
        self.executable_opts = ["run", self.workload, "--plan", self.plan, "--out", "results"]
        if self.meter:
            self.executable_opts += ["--meter", self.meter]

    @sanity_function
    def validate_record(self):
        """Pass if there is one record and perwatt calls it valid; a spoilt run has its reasons in the message."""
        records = self._records()
        if len(records) != 1:
            return sn.assert_true(False, f"expected one result, got {len(records)}; see {self.stderr}")
        reasons = ", ".join(reason["code"] for reason in records[0]["reasons"])
        return sn.assert_eq(records[0]["status"], "ok", f"the run is {records[0]['status']}: {reasons}")

    @run_before("performance")
    def set_figures(self):
        """Take the rate and each energy a unit from the record."""
        self.perf_variables = {
            name: sn.make_performance_function(sn.defer(metric["value"]), metric["unit"])
            for name, metric in self._records()[0]["metrics"].items()
            if name == "rate" or name.startswith("energy_per_")
        }

    def _records(self):
        paths = sorted(Path(self.stagedir).glob("results/*/result.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

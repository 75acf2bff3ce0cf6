"""The idle power stands beside the energy of a load against an endpoint."""

from types import SimpleNamespace

from bench.cli.run.endpoint_tables import _print_energy
from bench.results.record import IdlePower


def test_the_idle_power_of_each_load_stands_under_its_energy(capsys):
    metric = SimpleNamespace(value=3.4, interval_95=(3.3, 3.5), boundary="wall")
    idle = IdlePower.model_construct(meter="shelly:h", power_w=212.0, when="before", duration_s=10.0)
    record = SimpleNamespace(
        energy_per_unit=metric,
        power=metric,
        idle=(idle,),
        metrics={},
        workload=SimpleNamespace(parameters={"concurrency": 16}),
    )
    _print_energy([record])
    assert "idle       16 at a time: 212.0 W before the load (shelly:h)" in capsys.readouterr().out

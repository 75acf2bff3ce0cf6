"""The three files that a twin writes for `perwatt control`: site, control and arm; each says that it is simulated."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from bench.twin.fleet import LOSS_FRAC, START_S, Twin, other_w
from bench.twin.kinds import KINDS, Kind
from bench.twin.servers.modbus import TABLE
from bench.twin.servers.serving import Served
from bench.twin.unit import Unit
from sites.files import write_file

SITE_NAME = "Twin (simulated)"
_HEAD = "# SIMULATED: written by `perwatt twin`. No figure here is of a real device, site or market.\n"
_MINING_DEVICE = "antminer-s19-pro:110t"
_RESERVE = 1.1  # the limit of the feeder as a multiple of all that it may carry
_ARMED_DAYS = 30


def write_files(folder: Path, twin: Twin, served: Served) -> dict[str, Path]:
    """Write site.toml, control.toml and arm.toml, replacing those of an earlier twin, and return their paths.

    Parameters
    ----------
    folder
        Where they go; it is made if it is not there.
    twin, served
        What is simulated, and where it listens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    control = control_toml(twin, served)
    texts = {"site": site_toml(twin), "control": control, "arm": arm_toml(twin, control)}
    paths = {name: folder / f"{name}.toml" for name in texts}
    for name, text in texts.items():
        write_file(paths[name], text.encode())
    return paths


def site_toml(twin: Twin) -> str:
    """Return the site: a year of prices by the time of use, in which the miners stop at the dear hours."""
    most_w = feeder_limit_w(twin.units)
    blocks = ""
    if twin.miners:
        blocks += f"""
[[mining]]
name = "miners"
device = "{_MINING_DEVICE}"
count = {len(twin.miners)}
pool_fee_percent = 1
min_up_hours = 1
"""
    if twin.servers:
        blocks += f"""
[[inference]]
name = "servers"
gpus = {8 * len(twin.servers)}
demand_percent = 60
usd_per_mtok = 0.15
[inference.rate]
tokens_per_s = 3000
power_w = 700
boundary = "node"
power_kind = "measured"
token_basis = "output"
lengths = "1000:1000"
latency_limit = "simulated"
"""
    return f"""{_HEAD}
[site]
name = "{SITE_NAME}"
region = "simulated"
start = {_day(START_S).replace(month=1, day=1):%Y-%m-%d}
[power]
interconnect_mw = {most_w / 1e6:.4f}
[cooling]
mining_pue = 1.03
gpu_pue = 1.03
[price.time_of_use]
base_usd_per_mwh = 38
[[price.time_of_use.period]]
usd_per_mwh = 120
from_hour = 15
to_hour = 20
[market]
btc_usd = 85000
fees_percent_of_subsidy = 1.2
{blocks}"""


def control_toml(twin: Twin, served: Served) -> str:
    """Return the declarations of control: limits that the twin fits in, its meter, its price feed and its units."""
    units = twin.units
    kinds = [KINDS[_kind_name(unit)] for unit in units]
    ramp_w = max(0.5 * sum(kind.full_w for kind in kinds), 1.1 * max(kind.highest_w for kind in kinds))
    text = f"""{_HEAD}
[control]
tick_s = 30
on_stale_price = "hold"
on_lost_telemetry = "hold"
on_controller_death = "keep"
stale_price_s = 1800
windows_down = 2
windows_up = 4

[limits]
feeder_kw = {feeder_limit_w(units) / 1e3:.1f}
ramp_kw_per_min = {ramp_w / 1e3:.1f}
units_per_wave = {max(1, min(len(units) // 5, 500))}
wave_interval_s = 60
min_on_s = 900
min_off_s = 600
commands_per_hour = 6
fleet_frac = {0.25 if len(units) >= 4 else 1.0}
overshoot_percent = 5
other_kw = {other_w(units) / 1e3:.3f}
losses_percent = {100.0 * LOSS_FRAC:g}

[feeder]
meter = "modbus:{served.meter},table={TABLE}"
verify_s = 600

[price]
source = "http://{served.pages}/prices"
"""
    return text + "".join(_unit_tables(twin, served))


def arm_toml(twin: Twin, control: str) -> str:
    """Return the file that arms the controller for all units, as long as such a file may."""
    expires = datetime.fromtimestamp(START_S + _ARMED_DAYS * 86_400, UTC)
    names = [unit.name for unit in twin.units]
    sets = ", ".join(f'"{node_set(group)}"' for _, group in groupby(names, key=lambda name: name[0]))
    return f"""{_HEAD}
site = "{SITE_NAME}"
units = [{sets}]
maximum_mw = {1.1 * sum(KINDS[_kind_name(unit)].full_w for unit in twin.units) / 1e6:.4f}
expires = {expires:%Y-%m-%dT%H:%M:%SZ}
control_sha256 = "{sha256(control.encode()).hexdigest()}"
"""


def feeder_limit_w(units: Iterable[Unit]) -> float:
    """Return a limit of the feeder into which all units fit at their highest power [W]."""
    listed = list(units)
    highest_w = sum(KINDS[_kind_name(unit)].full_w * 1.05 for unit in listed)
    return _RESERVE * (highest_w + other_w(listed)) / (1.0 - LOSS_FRAC)


def node_set(names: Iterable[str]) -> str:
    """Return names that end in numbers of one width as a node set: m[01-20]."""
    listed = list(names)
    heads = {name.rstrip("0123456789") for name in listed}
    if len(heads) != 1:
        raise ValueError(f"names of one set begin alike, got {', '.join(sorted(heads))}")
    (head,) = heads
    digits = [name.removeprefix(head) for name in listed]
    runs: list[list[str]] = []
    for text in digits:
        if runs and int(text) == int(runs[-1][-1]) + 1:
            runs[-1].append(text)
        else:
            runs.append([text])
    parts = [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return f"{head}{parts[0]}" if len(digits) == 1 else f"{head}[{','.join(parts)}]"


def _unit_tables(twin: Twin, served: Served) -> Iterable[str]:
    """Yield a [[unit]] table for the units of a kind that share the first three numbers of their addresses."""
    addresses = served.addresses
    groups: dict[tuple[str, str], list[Unit]] = {}
    for unit in twin.units:
        address = addresses[unit.name]
        key = address if ":" in address else address.rpartition(".")[0]
        groups.setdefault((_kind_name(unit), key), []).append(unit)
    servers = {unit.name for unit in twin.servers}
    for (name, _), units in groups.items():
        kind = KINDS[name]
        block = "servers" if units[0].name in servers else "miners"
        text = _unit_table(kind, block, node_set(unit.name for unit in units), [addresses[unit.name] for unit in units])
        options = served.options[units[0].name]
        listed = ", ".join(f'{key} = "{value}"' for key, value in options.items())
        yield text + (f"options = {{ {listed} }}\n" if options else "")


def _unit_table(kind: Kind, block: str, names: str, addresses: list[str]) -> str:
    address = addresses[0] if len(addresses) == 1 else node_set(addresses)
    rate_th = kind.full_rate_per_s / 1e12
    efficiency = f"efficiency_j_per_th = {kind.full_w / rate_th:.1f}\n" if block == "miners" else ""
    return f"""
[[unit]]
name = "{names}"
block = "{block}"
lever = "{kind.protocol}"
address = "{address}"
power_w = {kind.full_w:g}
asleep_w = {kind.asleep_w:g}
ramp_up_s = {1.3 * kind.wake_s:.0f}
ramp_down_s = {1.5 * kind.down_s:.0f}
{efficiency}"""


def _kind_name(unit: Unit) -> str:
    return unit.kind.name


def _day(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)

"""Sound inputs of every kind, which are damaged: files of the corpus and the catalogue, and what perwatt writes."""

import io
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from doubles import load_generators
from doubles.feeds.america import ercot, nyiso, pjm
from doubles.feeds.europe import entsoe, entsoe_xml, nordpool, smard
from doubles.feeds.others import aemo
from doubles.feeds.truth import steps, time_s

from bench.pytest_plugin.json_import import import_json
from bench.results.layout import RECORD_FILE, SAMPLES_FILE
from bench.results.samples import Sample
from bench.results.writing import write_record

ROOT = Path(__file__).resolve().parents[3]
MARKET_DAY = time_s("Europe/Berlin", 2025, 10, 26), time_s("Europe/Berlin", 2025, 10, 27)
CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def originals(reader: str, *files: str) -> tuple[bytes, ...]:
    """Return the sound inputs of a reader, and the ones in its folder of the corpus, on which it once failed."""
    once_failed = sorted((CORPUS / reader.replace(" ", "-")).glob("*"))
    made = {"record": RECORD_FILE, "samples": SAMPLES_FILE, "digests": "SHA256SUMS"}
    sound = [CORPUS / file if "/" not in file else ROOT / file for file in files]
    contents = tuple(path.read_bytes() for path in (*sound, *once_failed))
    if reader in made:
        return (stored()[made[reader]], *contents)
    return (*MADE[reader](), *contents) if reader in MADE else contents


@cache
def stored() -> dict[str, bytes]:
    """Return the files of a result with samples, by name."""
    rows = [Sample("rapl", -1, n / 10, n / 10 + 0.1, 1.8e9 + n / 10, 200 + 3.5 * n, "W") for n in range(12)]
    with TemporaryDirectory() as folder:
        path = write_record(Path(folder), import_json(CORPUS / "benchmark.json")[0], rows)
        return {file.name: file.read_bytes() for file in path.iterdir()}


def _hourly() -> list[bytes]:
    """Return a day's series of prices as Parquet."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    table = csv.read_csv(CORPUS / "day.csv", convert_options=csv.ConvertOptions(column_types={"time": pa.string()}))
    times = table.set_column(0, "time", table["time"].cast(pa.timestamp("s", "UTC")))
    return [_parquet(parquet, one) for one in (table, times)]


def _sites() -> list[bytes]:
    """Return the table of sites that a yield writes, as far as a later yield reads it."""
    import pyarrow as pa
    from pyarrow import parquet

    return [_parquet(parquet, pa.table({"site": ["Small"], "net_usd": [1.5e6]}))]


def _parquet(parquet, table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


@cache
def stored_site() -> bytes:
    """Return the stored inputs of a site."""
    from bench.device_rates import resolve_device
    from sites.file.inputs import read_inputs
    from sites.planners.stored_inputs import store_inputs

    with TemporaryDirectory() as folder:
        pairs = read_inputs(CORPUS / "small.toml", resolve_device)
        store_inputs([inputs for inputs, _ in pairs], Path(folder))
        return (Path(folder) / "000" / "inputs.json").read_bytes()


def _load_generators() -> list[bytes]:
    """Return results of load generators."""
    return [json.dumps(make()).encode() for name, make in load_generators.DOCUMENTS.items() if name != "ml-energy"]


def _market_files() -> list[bytes]:
    """Return a day of several sources of prices: tables, a workbook, JSON and XML."""
    day, quarters, five = (list(steps(*MARKET_DAY, minutes)) for minutes in (60, 15, 5))
    texts = [
        ercot.day_ahead(day, ("HB_WEST",)),
        ercot.day_ahead_json(day),
        ercot.real_time_workbook(quarters),
        aemo.prices(five),
        nyiso.hourly(day, nyiso.NAMES[:1]),
        pjm.text(pjm.DAY_AHEAD, day),
        entsoe.web(("BZN|FR", entsoe.WITHOUT, quarters)),
        entsoe_xml.prices((entsoe_xml.FRANCE, 1, day)),
        nordpool.answer(day),
        smard.new({smard.GERMANY: quarters}),
    ]
    return [text if isinstance(text, bytes) else text.encode() for text in texts]


MADE = {
    "market file": _market_files,
    "results of load generators": _load_generators,
    "hourly Parquet": _hourly,
    "table of sites": _sites,
    "stored inputs": lambda: [stored_site()],
}

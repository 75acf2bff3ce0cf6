"""`perwatt miner restore`: the former pool of a miner, after a run with --set-pool that was killed."""

import click

from bench.cli.commands import examples
from bench.cli.output import say


@click.command(epilog=examples("perwatt miner restore 192.0.2.7"))
@click.argument("host", metavar="HOST")
@click.option("--forget", is_flag=True, help="Write nothing: remove the journal of a pool that is already right.")
def restore(host: str, forget: bool) -> None:
    """Bring the former pool of a miner back from the journal of `perwatt run asic --set-pool`.

    HOST is what --miner was. The miner is read first and after each write; no write is sent twice.
    """
    from bench.miners.families import load
    from bench.miners.link import parse_address
    from bench.miners.reader import Miner
    from bench.workloads.asic.journal import Journal
    from bench.workloads.asic.pool_switch import restore as restore_pool

    address = parse_address(host, "HOST")
    journal = Journal(address.shown)
    entry = journal.read()
    if forget:
        journal.remove()
        say(f"the journal of {entry.host} is removed; nothing was written to the miner")
        return
    restore_pool(Miner(address, load(entry.family)), entry, journal, say)

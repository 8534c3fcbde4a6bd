"""`oms ledger verify`: the ledger proven again, from its entries."""

from __future__ import annotations

import click

from api import proof
from api.cli.root import Session, with_session

SHOWN = 50


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@with_session
def verify(session: Session) -> None:
    """Prove the invariants I1 to I6 over the whole ledger; exit status 1 when something is found."""
    findings, size = session.house.doors.read(lambda reading: (list(proof.findings(reading)), proof.size(reading)))
    for finding in findings[:SHOWN]:
        click.echo(f"{finding.invariant} {finding.table} {finding.key}: {finding.message}", err=True)
    if findings:
        raise click.ClickException(f"{len(findings)} findings; the ledger does not prove itself.")
    click.echo(
        f"Proven: {size.entries:,} entries, {size.balances:,} balances and {size.orders:,} orders hold I1 to I6."
    )

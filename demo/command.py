"""`oms demo`: the main job, from an empty folder to a retailer's day and night, told through the REST API.

Invariant: one seed, one story; nothing outside `var/demo` is touched.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from demo import BUSINESS_CLOCK, ORDER_COUNT, SEED, day, opening, rules, summary
from demo.shop import Refused, Shop

FOLDER = Path("var") / "demo"


@click.command()
@click.option("--no-serve", is_flag=True, envvar="NO_SERVE", help="End after the summary.")
@click.option("--orders", default=ORDER_COUNT, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--seed", default=SEED, show_default=True, help="Another seed tells another story.")
@click.option("--port", default=8000, show_default=True, help="Where to serve; another one when it is taken.")
def demo(*, no_serve: bool, orders: int, seed: int, port: int) -> None:
    """Load a retailer, live one day and one night of it, and go on serving."""
    # Named, because commands that run in this process have their output to themselves.
    console = Console(file=sys.stdout)
    try:
        place = opening.choose(FOLDER, port)
        with console.status("Migrating, and importing the network ..."):
            opening.run(place, "migrate")
            key = opening.people_and_key(place)
            opening.load_network(place, seed=seed)
        with opening.serving(place) as server, Shop(place.address, key, story=f"demo-{seed}") as shop:
            _tell(console, place, shop, orders=orders, seed=seed)
            console.print(opening.run(place, "ledger", "verify").strip())
            summary.print_places(console, place)
            if not no_serve:
                console.print("Serving; stop with Ctrl+C.")
                server.wait()
    except KeyboardInterrupt:
        console.print("Stopped.")
    except (opening.CannotOpen, Refused) as error:
        raise click.ClickException(str(error)) from error


def _tell(console: Console, place: opening.Place, shop: Shop, *, orders: int, seed: int) -> None:
    day.open_channels(shop)
    opening.run(place, "backup", str(place.morning))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Orders", total=orders)
        placed = day.take_orders(shop, seed=seed, count=orders, tick=lambda count: progress.advance(task, count))
        floor = progress.add_task("Picked, packed and sent", total=None)
        done = day.work(shop, placed, seed=seed, tick=lambda count: progress.advance(floor, count))
    cancelled = day.change_minds(shop, placed, seed=seed)
    received = day.evening_delivery(shop, placed, seed=seed)
    with console.status("Planning the night ..."):
        run, outcome = day.night(shop)
    with console.status("Replaying the day under simpler rules ..."):
        compared = rules.compare(place.morning, placed.bodies, now=BUSINESS_CLOCK)
    console.print()
    summary.print_orders(console, placed)
    summary.print_costs(console, compared, run["cost_after"]["currency"])
    summary.print_day(console, done, cancelled=cancelled, received=received)
    summary.print_night(console, run, outcome)

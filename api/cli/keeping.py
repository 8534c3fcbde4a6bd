"""Keeping house: `oms migrate`, `config check`, `user`, `key` and `backup`."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import yaml
from sqlalchemy.engine import make_url

import migrations
from api import access
from api.cli.root import Session, with_session
from api.config import as_mapping


@click.command()
@with_session
def migrate(session: Session) -> None:
    """Bring the database to the newest schema; data is kept."""
    url = make_url(session.config.database.url)
    if session.config.is_sqlite and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(session.config.database.url)
    click.echo(f"{url.render_as_string(hide_password=True)} is up to date.")


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@with_session
def check(session: Session) -> None:
    """Check the settings and print all that hold, secrets masked."""
    settings = as_mapping(session.config)
    url = make_url(session.config.database.url)
    settings["database"]["url"] = url.render_as_string(hide_password=True)
    click.echo(yaml.safe_dump(settings, sort_keys=False).strip())


@click.group()
def user() -> None:
    """People who log in to pages."""


@user.command("add")
@click.argument("username")
@click.option("--role", required=True, type=click.Choice(list(access.ROLES)))
@click.option("--node", help="Where staff of a store work.")
@click.option("--name", default="", help="The name that colleagues see.")
@click.option("--language", default="en", type=click.Choice(["en", "es"]))
@click.password_option()
@with_session
def add_user(session: Session, /, username: str, password: str, role: str, **details: Any) -> None:
    """Let a person log in."""
    session.house.doors.write(lambda work: access.add_user(work, username, password, role=role, **details))
    click.echo(f"{username} may log in as {role}.")


@click.group()
def key() -> None:
    """Keys of machines that use the REST API."""


@key.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help=f"One of {', '.join(access.SCOPES)}; repeatable.")
@click.option("--node", help="Bind the key to one node.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until the key expires; never when left out.")
@with_session
def add_key(session: Session, name: str, scopes: tuple[str, ...], node: str | None, days: int | None) -> None:
    """Make a key; it is shown now and never again."""
    expires_at = session.house.clock.now() + timedelta(days=days) if days else None
    made = session.house.doors.write(
        lambda work: access.add_key(work, name, list(scopes), node=node, expires_at=expires_at)
    )
    click.echo(made)


@key.command()
@click.argument("prefix")
@with_session
def revoke(session: Session, prefix: str) -> None:
    """End a key at once; PREFIX is the part between the underscores."""
    session.house.doors.write(lambda work: access.revoke_key(work, prefix, now=session.house.clock.now()))
    click.echo(f"The key {prefix} is revoked.")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@with_session
def backup(session: Session, target: Path) -> None:
    """Copy an SQLite database while it is in use; for PostgreSQL, say how."""
    url = make_url(session.config.database.url)
    if not session.config.is_sqlite:
        click.echo("PostgreSQL is copied by its own tools while it is in use:")
        click.echo(f"  pg_dump --format=custom --file={target} {url.set(drivername='postgresql').render_as_string()}")
        return
    if target.exists():
        raise click.ClickException(f"{target} exists; name a new file.")
    source = Path(url.database or "")
    if not source.exists():
        raise click.ClickException(f"There is no database at {source}.")
    _copy(source, target)
    click.echo(
        f"Copied {source} to {target}, {target.stat().st_size:,} bytes. Personal data in it needs the same master key."
    )


@click.command()
@with_session
def openapi(session: Session) -> None:
    """Print the OpenAPI document of the REST API."""
    from api.app import create_app
    from api.openapi import text

    click.echo(text(create_app(session.config)), nl=False)


def _copy(source: Path, target: Path) -> None:
    """Copy in small steps, so that writers are never kept waiting, and check the copy before it gets its name."""
    draft = target.with_name(f"{target.name}.part")
    with sqlite3.connect(source) as there, sqlite3.connect(draft) as here:
        there.backup(here, pages=2000, sleep=0.01)
        (verdict,) = here.execute("PRAGMA integrity_check").fetchone()
    there.close()
    here.close()
    if verdict != "ok":
        raise click.ClickException(f"The copy is damaged: {verdict}")
    draft.replace(target)

"""The root of the command line: the settings, the house opened when a command needs it, and errors as sentences.

Commands live beside it by subject and are loaded when they are named, so that a short one starts fast.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.exc import SQLAlchemyError

from api.config import Config, InvalidConfig, load
from kernel.errors import DomainError

if TYPE_CHECKING:
    from api.house import House

# Where each command is: module and name. The demo is a package of its own, and may be left out of an installation.
COMMANDS = {
    "serve": "api.cli.serving:serve",
    "worker": "api.cli.serving:worker",
    "migrate": "api.cli.keeping:migrate",
    "import": "api.cli.importing:import_",
    "plan": "api.cli.planning:plan",
    "ledger": "api.cli.proving:ledger",
    "config": "api.cli.keeping:config",
    "user": "api.cli.keeping:user",
    "key": "api.cli.keeping:key",
    "backup": "api.cli.keeping:backup",
    "openapi": "api.cli.keeping:openapi",
    "solve": "api.cli.solving:solve",
    "demo": "demo.command:demo",
}
SECRETS_FILE = Path("var") / "secrets.yaml"


class Commands(click.Group):
    """The commands by name; whatever they raise becomes one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it so)
        """Return the names in the order of the table."""
        return [name for name, place in COMMANDS.items() if _is_there(place)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Load a command by its name."""
        place = COMMANDS.get(cmd_name)
        if place is None or not _is_there(place):
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a refusal or a missing database is a sentence and exit status 1."""
        try:
            return super().invoke(ctx)
        except (InvalidConfig, DomainError) as error:
            raise click.ClickException(_sentence(error)) from error
        except SQLAlchemyError as error:
            _explain(ctx.obj)
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise click.ClickException(f"The database cannot be used: {reason}") from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or ''} {error.strerror or error}".strip()) from error


class Session:
    """What commands share: the settings, read when first asked for, and the house, opened likewise."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @cached_property
    def config(self) -> Config:
        """The settings; says so when development made its secrets."""
        from api import log

        had_secrets = SECRETS_FILE.exists()
        config = load(self.path)
        if SECRETS_FILE.exists() and not had_secrets:
            click.echo(
                f"Made secrets for development in {SECRETS_FILE}; production takes its own from the environment.",
                err=True,
            )
        log.configure(config.log)
        return config

    @cached_property
    def house(self) -> House:
        """The house on the database of the settings."""
        from api.house import build_house

        return build_house(self.config)

    def close(self) -> None:
        """Close the database, if a command opened it."""
        if "house" in vars(self):
            self.house.doors.database.dispose()


with_session = click.make_pass_decorator(Session)


@click.group(cls=Commands)
@click.option("--config", "path", type=click.Path(path_type=Path), help="The settings; config.yaml here when left out.")
@click.version_option(package_name="oms")
@click.pass_context
def oms(context: click.Context, path: Path | None) -> None:
    """Open omnichannel order management: one order service, one inventory ledger, one optimizer."""
    context.obj = Session(path)
    context.call_on_close(context.obj.close)


def _is_there(place: str) -> bool:
    module = place.partition(":")[0]
    return module.startswith("api.") or find_spec(module) is not None


def _explain(session: Session) -> None:
    """Say so where what the database refused is that it was never, or not wholly, migrated."""
    from api.cli.migrated import NotMigrated, check_migrated

    try:
        check_migrated(session.house)
    except NotMigrated as error:
        raise click.ClickException(error.message) from error
    except SQLAlchemyError:
        return


def _sentence(error: InvalidConfig | DomainError) -> str:
    if isinstance(error, InvalidConfig):
        return str(error)
    faults = "; ".join(f"{fault.pointer} {fault.message}".strip() for fault in error.faults)
    return f"{error.message} {faults}".strip() if faults not in error.message else error.message

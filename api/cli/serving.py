"""`oms serve` and `oms worker`: processes that stay."""

from __future__ import annotations

import gc
import signal
import threading
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from api.cli.migrated import check_migrated
from api.cli.root import Session, with_session
from api.config import Config, share_metrics


class Server(BaseApplication):
    """gunicorn with threads, set up from our settings; on SQLite one process that also runs the jobs."""

    def __init__(self, config: Config) -> None:
        self.settings = config
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        server = self.settings.server
        options: dict[str, Any] = {
            "bind": f"{server.host}:{server.port}",
            "workers": 1 if self.settings.is_sqlite else server.workers,
            "threads": server.threads,
            "worker_class": "gthread",
            "timeout": server.timeout_s,
            "graceful_timeout": 20,
            "keepalive": 30,
            # A question about 200 articles is longer than the usual line.
            "limit_request_line": 8190,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "oms",
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application of one process, with its own connections."""
        from api.app import create_app
        from api.attendance import Attended
        from api.house import build_house
        from api.jobs import schedule

        house = build_house(self.settings)
        app = create_app(self.settings, house)
        app.wsgi_app = Attended(app.wsgi_app)  # type: ignore[method-assign]
        if self.settings.is_sqlite:
            schedule(house).start()
        settle()
        return app


@click.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=int, help="The port to listen on.")
@with_session
def serve(session: Session, host: str | None, port: int | None) -> None:
    """Serve pages and REST; on SQLite run the jobs as well."""
    config = _with_address(session.config, host, port)
    if not config.is_sqlite and config.server.workers > 1:
        # Before the application is imported, since the library of the figures looks once, when it is.
        share_metrics(Path("var") / "metrics")
    check_migrated(session.house)
    address = f"http://{config.server.host}:{config.server.port}"
    # What this process opened must not be shared with those that it forks.
    session.close()
    click.echo(f"Serving on {address}, the REST API is described at {address}/api/v1/docs")
    Server(config).run()


@click.command()
@with_session
def worker(session: Session) -> None:
    """Run the jobs, beside servers on PostgreSQL; several may run, each job runs in one."""
    from api.jobs import schedule

    check_migrated(session.house)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler = schedule(session.house)
    scheduler.start()
    settle()
    click.echo("Working; stop with Ctrl+C.")
    stop.wait()
    scheduler.shutdown(wait=True)


def settle() -> None:
    """Let the garbage collector pass over what lives as long as the process: modules, routes, statements."""
    gc.collect()
    gc.freeze()


def _with_address(config: Config, host: str | None, port: int | None) -> Config:
    from dataclasses import replace

    server = replace(config.server, host=host or config.server.host, port=config.server.port if port is None else port)
    return replace(config, server=server)

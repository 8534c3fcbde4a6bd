"""An application that does nothing, served with the very settings of the real one: the baseline of `bench.orders`.

Run as a process of its own, `python -m bench.empty`; it reads the settings as `oms serve` does.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from api.cli.serving import Server
from api.config import load


class EmptyServer(Server):
    """The real server around one route that takes a body and answers with nothing."""

    def load(self) -> Any:
        """Return the application of one process."""
        app = Flask("empty")

        @app.get("/readyz")
        def ready() -> dict[str, Any]:
            return {}

        @app.post("/api/v1/orders")
        def take() -> tuple[dict[str, Any], int]:
            request.get_data()
            return {}, 201

        return app


if __name__ == "__main__":
    EmptyServer(load(None)).run()

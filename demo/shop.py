"""The retailer's systems as a client of the REST API: one connection, one key, refusals told as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

LONGEST_ANSWER_S = 60.0


class Refused(RuntimeError):
    """The server refused what the story needs; the sentence is the server's."""

    def __init__(self, method: str, path: str, answer: httpx.Response) -> None:
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        faults = "; ".join(fault["message"] for fault in problem.get("errors", ())[:3])
        detail = " ".join(part for part in (problem.get("detail", answer.text[:200]), faults) if part)
        super().__init__(f"{method} {path} was answered with {answer.status_code}: {detail}")
        self.status, self.code = answer.status_code, problem.get("code", "")


class Shop:
    """Calls the API of one server with one key. Every POST carries an idempotency key, numbered from the start."""

    def __init__(self, address: str, key: str, *, story: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=LONGEST_ANSWER_S)
        self._story = story
        self._number = 0

    def __enter__(self) -> Self:
        """Return the shop itself; leaving closes its connection."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Read. Raises Refused."""
        return self._answered("GET", path, self._client.get(path, params=query))

    def post(self, path: str, body: Any = None) -> Any:
        """Do something, once. Raises Refused."""
        self._number += 1
        headers = {"Idempotency-Key": f"{self._story}-{self._number}"}
        return self._answered("POST", path, self._client.post(path, json={} if body is None else body, headers=headers))

    def every(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Read a list to its end, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, **({} if cursor is None else {"cursor": cursor}))
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    @staticmethod
    def _answered(method: str, path: str, answer: httpx.Response) -> Any:
        if answer.is_error:
            raise Refused(method, path, answer)
        return answer.json() if answer.content else None

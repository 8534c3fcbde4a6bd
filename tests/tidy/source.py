"""The project's Python files as the tidy checks see them: path, text and syntax tree."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kernel", "stock", "fulfillment", "oms", "api", "demo")

FUNCTION_NODES = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One file: its path below the root, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def folder(self) -> str:
        return self.path.partition("/")[0]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, FUNCTION_NODES))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def at(self, node: ast.AST, finding: str) -> str:
        """Return the finding with the place an editor opens."""
        return f"{self.path}:{node.lineno}: {finding}"


def called_name(call: ast.Call) -> str:
    """Return the last word of what is called: `select` for both `select(x)` and `sa.select(x)`."""
    return last_word(call.func)


def last_word(node: ast.expr) -> str:
    """Return the name an expression ends with, or an empty string where it has none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@cache
def tracked_paths() -> tuple[str, ...]:
    """Return every Python file that git tracks, or would once it is added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.py"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return tuple(path for path in sorted(set(listed.stdout.split())) if (ROOT / path).exists())


@cache
def house() -> tuple[Source, ...]:
    """Return every file of the house: all but tests, and revisions, which are history."""
    return tuple(
        Source(path, (ROOT / path).read_text(encoding="utf-8"))
        for path in tracked_paths()
        if not path.startswith(("tests/", "migrations/versions/"))
    )


@cache
def product() -> tuple[Source, ...]:
    """Return the files of the packages that run at a retailer's."""
    return tuple(source for source in house() if source.folder in PACKAGES)

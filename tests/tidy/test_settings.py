"""The rules have no silent exceptions, and the lock names no address."""

import re
import tomllib

import pytest

from tests.tidy.source import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
# An opt-out stands alone on its line: `"S101",  # why`.
OPT_OUT = re.compile(r'^ {4}"[A-Z]+\d*",\s*(?P<reason>#\s*\S.*)?$')


def excused_contracts(settings: dict) -> list[str]:
    contracts = settings["tool"]["importlinter"]["contracts"]
    return [contract["name"] for contract in contracts if contract.get("ignore_imports")]


def opt_outs_without_reason(text: str) -> list[str]:
    ignored = text.partition("\nignore = [\n")[2].partition("\n]")[0].splitlines()
    return [line.strip() for line in ignored if not ((found := OPT_OUT.match(line)) and found["reason"])]


def unhashed(lock: str) -> list[str]:
    """Return the requirements that no hash follows."""
    requirements = re.split(r"\n(?=\S)", lock.strip())
    return [requirement for requirement in requirements if "--hash=sha256:" not in requirement]


def test_no_import_contract_has_exceptions():
    assert excused_contracts(tomllib.loads((ROOT / "pyproject.toml").read_text())) == []


def test_every_opt_out_of_a_lint_rule_has_its_reason():
    assert opt_outs_without_reason((ROOT / "pyproject.toml").read_text()) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_hashes_and_no_address(name):
    lock = (ROOT / name).read_text()
    assert unhashed(lock) == []
    assert not re.search(r"://|--index|--find-links|^#", lock, re.MULTILINE)


def test_an_excused_contract_is_found():
    contract = {"name": "layers", "ignore_imports": ["stock -> oms"]}
    assert excused_contracts({"tool": {"importlinter": {"contracts": [contract]}}}) == ["layers"]


def test_an_opt_out_without_reason_is_found():
    text = 'select = ["ALL"]\nignore = [\n    "S101",  # why\n    "EM",\n]\n'
    assert opt_outs_without_reason(text) == ['"EM",']


def test_a_requirement_without_hash_is_found():
    assert unhashed("a==1 \\\n    --hash=sha256:00\nb==2\n") == ["b==2"]

"""The command line: what it does, and that a failure is one sentence."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from api.cli import oms

PROBLEM = {
    "format": "sourcing-problem/1",
    "nodes": [{"id": "N1", "open_cost": 0, "capacity": None}],
    "stock": [{"node": "N1", "sku": "A", "units": 5}],
    "orders": [
        {
            "id": "O1", "max_packages": None,
            "lines": [{"id": "1", "sku": "A", "units": 1, "divisible": False, "unfilled_cost": 5000}],
            "options": [{"node": "N1", "package_cost": 350, "work": 1, "line_costs": {"1": 30}, "line_work": {"1": 0}}],
        }
    ],
}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, code=0, **kwargs):
        result = CliRunner().invoke(oms, arguments, **kwargs)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


def test_a_problem_file_is_decided(run, tmp_path):
    (tmp_path / "problem.json").write_text(json.dumps(PROBLEM))
    plan = json.loads(run("solve", "problem.json").stdout)
    assert (plan["status"], plan["objective"], plan["gap"]) == ("optimal", 380, 0)
    assert plan["assignments"] == [{"order": "O1", "line": "1", "node": "N1", "units": 1}]


def test_a_plan_goes_to_a_file(run, tmp_path):
    (tmp_path / "problem.json").write_text(json.dumps(PROBLEM))
    assert "optimal: objective 380" in run("solve", "problem.json", "--out", "plan.json").stdout
    assert json.loads((tmp_path / "plan.json").read_text())["format"] == "sourcing-plan/1"


def test_an_infeasible_problem_ends_with_status_2_and_names_the_lines(run, tmp_path):
    problem = json.loads(json.dumps(PROBLEM))
    problem["stock"] = []
    problem["orders"][0]["lines"][0]["unfilled_cost"] = None
    (tmp_path / "problem.json").write_text(json.dumps(problem))
    assert "O1/1" in run("solve", "problem.json", code=2).stderr


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": "other/1"}', '{"format": "sourcing-problem/1"}', "[" * 100_000]
)
def test_a_malformed_problem_gets_one_sentence(run, tmp_path, content):
    (tmp_path / "problem.json").write_text(content)
    result = run("solve", "problem.json", code=1)
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_named(run):
    assert "nowhere.json" in run("solve", "nowhere.json", code=1).stderr


def test_a_wrong_setting_is_named(run):
    assert "server.port" in run("config", "check", code=1, env={"OMS__SERVER__PORT": "x"}).stderr


def test_settings_are_printed_without_secrets(run):
    printed = run("config", "check").stdout
    assert "master_key: (set)" in printed
    assert "port: 8000" in printed


def test_a_database_that_is_away_is_a_sentence(run):
    away = {"OMS__DATABASE__URL": "postgresql://nobody@127.0.0.1:1/nowhere"}
    assert "The database cannot be used" in run("key", "add", "shop", "--scope", "admin", code=1, env=away).stderr


def test_nothing_is_served_before_the_migration(run):
    assert "oms migrate" in run("serve", code=1).stderr


def test_from_nothing_to_a_user_a_key_and_a_copy(run, tmp_path):
    run("migrate")
    run("user", "add", "ana", "--role", "agent", "--password", "correct horse")
    assert "taken" in run("user", "add", "ana", "--role", "agent", "--password", "correct horse", code=1).stderr
    key = run("key", "add", "shop", "--scope", "orders:write", "--scope", "orders:read").stdout.strip()
    assert "revoked" in run("key", "revoke", key.split("_")[1]).stdout
    run("backup", "copy.db")
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT username FROM user_account").fetchall() == [("ana",)]
    copy.close()
    assert "exists" in run("backup", "copy.db", code=1).stderr


def test_an_unknown_scope_is_named_with_those_there_are(run):
    run("migrate")
    assert "orders:read" in run("key", "add", "shop", "--scope", "everything", code=1).stderr

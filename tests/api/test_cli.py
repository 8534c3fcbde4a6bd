"""The command line: what it does, and that a failure is one sentence."""

import sqlite3

import pytest
from click.testing import CliRunner

from api.cli import oms


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, code=0, **kwargs):
        result = CliRunner().invoke(oms, arguments, **kwargs)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


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


@pytest.mark.parametrize("command", ["key add shop --scope admin", "ledger verify"])
def test_a_command_before_the_migration_names_it(run, command):
    refusal = run(*command.split(), code=1).stderr
    assert "oms migrate" in refusal
    assert "no such table" not in refusal


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

"""Settings: the file holds every default, the environment overrides, and what is wrong is named."""

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from api.config import SECRETS, Config, InvalidConfig, as_mapping, load

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"OMS__SECURITY__MASTER_KEY": "ab" * 32, "OMS__SECURITY__SESSION_KEY": "k" * 40}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def faults_of(environment, path=None):
    with pytest.raises(InvalidConfig) as refused:
        load(path, environment)
    return refused.value.faults


def written(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return path


def test_the_file_of_the_project_holds_every_default():
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    defaults = {
        section.name: {key.name: getattr(getattr(Config(), section.name), key.name)
                       for key in fields(getattr(Config(), section.name)) if key.name not in SECRETS}
        for section in fields(Config)
    }  # fmt: skip
    assert document == defaults


def test_every_default_has_its_comment():
    lines = (ROOT / "config.yaml").read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if line.startswith("  ") and not line.startswith("  #")]
    assert [lines[number] for number in keys if not lines[number - 1].startswith("  #")] == []


def test_the_environment_overrides():
    config = load(None, {**KEYS, "OMS__SERVER__PORT": "9000", "OMS__CLOCK__FIXED_AT": "2026-11-17T10:00:00+01:00"})
    assert config.server.port == 9000
    assert config.clock.fixed_at == datetime(2026, 11, 17, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({"OMS__SERVER__PORT": "many"}, "server.port: not a valid integer"),
        ({"OMS__SERVER__PROT": "1"}, "server.prot: unknown field"),
        ({"OMS__SERVICE__PORT": "1"}, "service: unknown field"),
        ({"OMS__PORT": "1"}, "OMS__PORT must be named OMS__SECTION__KEY"),
        ({"OMS__DATABASE__URL": "mysql://x"}, "database.url: must begin with sqlite:/// or postgresql://"),
        ({"OMS__NIGHT__TIME_ZONE": "Mars/Olympus"}, "night.time_zone: must be a time zone such as europe/madrid"),
        ({"OMS__SECURITY__MASTER_KEY": "ab"}, "OMS__SECURITY__MASTER_KEY must be 64 hexadecimal digits"),
        ({"OMS__CLOCK__FIXED_AT": "2026-11-17T10:00:00"}, "clock.fixed_at: not a valid aware datetime"),
    ],
)
def test_a_wrong_key_or_type_is_named(environment, fault):
    assert faults_of({**KEYS, **environment}) == [fault]


def test_all_faults_are_named_at_once(tmp_path):
    path = written(tmp_path, "server: {port: x, speed: 1}\nlogs: {}\n")
    assert len(faults_of(KEYS, path)) == 3


def test_production_without_secrets_does_not_start():
    faults = faults_of({"OMS__SERVER__ENVIRONMENT": "production"})
    assert [fault.split()[0] for fault in faults] == ["OMS__SECURITY__MASTER_KEY", "OMS__SECURITY__SESSION_KEY"]


def test_a_secret_in_the_file_is_refused(tmp_path):
    path = written(tmp_path, f"security: {{master_key: {'ab' * 32}}}")
    assert faults_of(KEYS, path) == ["security.master_key must come from OMS__SECURITY__MASTER_KEY, not from a file"]


def test_development_makes_its_secrets_once_and_keeps_them_to_itself():
    first = load(None, {})
    assert load(None, {}).security == first.security
    assert Path("var/secrets.yaml").stat().st_mode & 0o077 == 0


def test_secrets_are_masked_where_settings_are_shown():
    config = load(None, KEYS)
    assert KEYS["OMS__SECURITY__MASTER_KEY"] not in f"{config} {as_mapping(config)}"


@pytest.mark.parametrize("text", ["a: [", "just words", "- a list"])
def test_a_file_that_is_no_settings_is_refused(tmp_path, text):
    path = written(tmp_path, text)
    assert len(faults_of(KEYS, path)) == 1


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.yaml" in faults_of(KEYS, tmp_path / "nowhere.yaml")[0]

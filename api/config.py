"""Settings: config.yaml, overridden by OMS__SECTION__KEY, checked once, and then frozen.

Called by the command line and by tests; everything else is handed values. The only place that reads the environment.
Invariant: a wrong key, a wrong type or a missing secret refuses to start and names the key; secrets come from the
environment only, except that development makes its own once, in `var/secrets.yaml`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints
from zoneinfo import available_timezones

import marshmallow as ma
import yaml
from marshmallow import validate
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kernel.money import CURRENCIES
from kernel.vault import MASTER_KEY_BYTES

PREFIX = "OMS__"
SECRETS = ("master_key", "session_key")
MIN_SESSION_KEY = 32


class InvalidConfig(Exception):
    """The settings are wrong; each fault names its key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def _setting(default: Any, check: Callable[[Any], Any] | None = None) -> Any:
    return field(default=default, metadata={"check": check} if check else {})


_POSITIVE = validate.Range(min=1, error="must be at least 1")


def _one_of(*choices: str) -> validate.OneOf:
    return validate.OneOf(choices, error="must be one of " + ", ".join(choices))


def _is_database_url(value: str) -> None:
    try:
        backend = make_url(value).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in {"sqlite", "postgresql"}:
        raise ma.ValidationError("must begin with sqlite:/// or postgresql://")


def _is_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ma.ValidationError("must be a time zone such as Europe/Madrid")


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the data is."""

    url: str = _setting("sqlite:///var/oms.db", _is_database_url)
    pool_size: int = _setting(10, _POSITIVE)


@dataclass(frozen=True)
class ServerSettings:
    """How requests are served."""

    environment: str = _setting("development", _one_of("development", "production"))
    host: str = "127.0.0.1"
    port: int = _setting(8000, validate.Range(min=0, max=65535, error="must be a port"))
    workers: int = _setting(2, _POSITIVE)
    threads: int = _setting(8, _POSITIVE)
    timeout_s: int = _setting(60, _POSITIVE)
    max_body_bytes: int = _setting(8_000_000, _POSITIVE)
    proxies: int = _setting(0, validate.Range(min=0, error="must not be negative"))


@dataclass(frozen=True)
class ClockSettings:
    """What time the business believes it is."""

    fixed_at: datetime | None = None


@dataclass(frozen=True)
class SecuritySettings:
    """Secrets, and the limits on those who guess them."""

    session_hours: int = _setting(12, _POSITIVE)
    login_limit: str = "10 per minute"
    failed_key_limit: str = "30 per minute"
    secure_cookies: bool = False
    master_key: str = field(default="", repr=False)
    session_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class NetworkSettings:
    """Where the retailer is at home."""

    currency: str = _setting("EUR", validate.OneOf(CURRENCIES, error="must be a currency of ISO 4217"))
    country: str = _setting("ES", validate.Regexp("^[A-Z]{2}$", error="must be a country of ISO 3166-1"))
    pick_half_life_days: int = _setting(180, _POSITIVE)


@dataclass(frozen=True)
class SourcingSettings:
    """How decisions are repeated."""

    tries: int = _setting(8, _POSITIVE)
    waiting_batch: int = _setting(100, _POSITIVE)


@dataclass(frozen=True)
class StockSettings:
    """What the stock room takes in."""

    over_receipt_percent: int = _setting(0, validate.Range(min=0, max=100, error="must be from 0 to 100"))


@dataclass(frozen=True)
class CartSettings:
    """How long carts hold and live."""

    hold_minutes: int = _setting(15, _POSITIVE)
    most_hold_minutes: int = _setting(120, _POSITIVE)
    abandon_after_hours: int = _setting(720, _POSITIVE)


@dataclass(frozen=True)
class PromiseSettings:
    """How long what is quoted is valid, and how long it may be held."""

    valid_minutes: int = _setting(15, _POSITIVE)
    hold_minutes: int = _setting(15, _POSITIVE)
    most_hold_minutes: int = _setting(60, _POSITIVE)


@dataclass(frozen=True)
class WorkSettings:
    """How the floor works."""

    pick_list_orders: int = _setting(8, _POSITIVE)
    keep_days: int = _setting(7, _POSITIVE)


@dataclass(frozen=True)
class NightSettings:
    """When the night is planned, and for how long."""

    enabled: bool = True
    hour: int = _setting(3, validate.Range(min=0, max=23, error="must be an hour from 0 to 23"))
    time_zone: str = _setting("Europe/Madrid", _is_time_zone)
    time_limit_s: int = _setting(300, _POSITIVE)
    seed: int = 1


@dataclass(frozen=True)
class JobSettings:
    """How often each job runs."""

    place_events_s: int = _setting(2, _POSITIVE)
    place_postings_s: int = _setting(2, _POSITIVE)
    seal_ledger_s: int = _setting(300, _POSITIVE)
    expire_holds_s: int = _setting(15, _POSITIVE)
    expire_no_shows_s: int = _setting(300, _POSITIVE)
    decide_waiting_s: int = _setting(10, _POSITIVE)
    shadow_policies_s: int = _setting(15, _POSITIVE)
    take_back_unstarted_s: int = _setting(60, _POSITIVE)
    work_out_runs_s: int = _setting(2, _POSITIVE)
    abandon_carts_s: int = _setting(3600, _POSITIVE)
    prove_ledger_s: int = _setting(30, _POSITIVE)
    make_partitions_s: int = _setting(21600, _POSITIVE)
    forget_keys_s: int = _setting(3600, _POSITIVE)
    forget_quotes_s: int = _setting(3600, _POSITIVE)
    lease_s: int = _setting(120, _POSITIVE)


@dataclass(frozen=True)
class LogSettings:
    """What is logged, and how."""

    level: str = _setting("info", _one_of("debug", "info", "warning", "error"))
    format: str = _setting("text", _one_of("text", "json"))


@dataclass(frozen=True)
class Config:
    """All settings."""

    database: DatabaseSettings = DatabaseSettings()
    server: ServerSettings = ServerSettings()
    clock: ClockSettings = ClockSettings()
    security: SecuritySettings = SecuritySettings()
    network: NetworkSettings = NetworkSettings()
    sourcing: SourcingSettings = SourcingSettings()
    stock: StockSettings = StockSettings()
    carts: CartSettings = CartSettings()
    promises: PromiseSettings = PromiseSettings()
    work: WorkSettings = WorkSettings()
    night: NightSettings = NightSettings()
    jobs: JobSettings = JobSettings()
    log: LogSettings = LogSettings()

    @property
    def is_sqlite(self) -> bool:
        """Tell whether the data is in one SQLite file."""
        return make_url(self.database.url).get_backend_name() == "sqlite"


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """Return the settings of the file at `path` (config.yaml here, if there is one) and of the environment.

    Raises InvalidConfig with every fault, each naming its key.
    """
    variables = os.environ if environment is None else environment
    document = _read(path)
    faults = [f"security.{key} must come from {PREFIX}SECURITY__{key.upper()}, not from a file"
              for key in SECRETS if key in (document.get("security") or {})]  # fmt: skip
    faults += _override(document, variables)
    config = _parse(document, faults)
    return _with_secrets(config, Path("var"))


def as_mapping(config: Config) -> dict[str, dict[str, Any]]:
    """Return every effective setting, secrets masked."""
    return {
        section.name: {
            key.name: "(set)" if key.name in SECRETS else getattr(getattr(config, section.name), key.name)
            for key in fields(getattr(config, section.name))
        }
        for section in fields(config)
    }


def metrics_folder() -> str | None:
    """Return where the processes of one server leave their figures, when there are several."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR")


def share_metrics(folder: Path) -> None:
    """Let the processes that follow leave their figures in `folder`; its library asks the environment for it."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _read(path: Path | None) -> dict[str, Any]:
    if path is None and not Path("config.yaml").exists():
        return {}
    path = path or Path("config.yaml")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise InvalidConfig([f"{path} cannot be read: {error.strerror}"]) from error
    except yaml.YAMLError as error:
        raise InvalidConfig([f"{path} is not YAML: {error}".replace("\n", " ")]) from error
    if not isinstance(document, dict):
        raise InvalidConfig([f"{path} must hold sections with keys"])
    return {section: values if values is not None else {} for section, values in document.items()}


def _override(document: dict[str, Any], variables: Mapping[str, str]) -> list[str]:
    faults = []
    for name, value in variables.items():
        if not name.startswith(PREFIX):
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        if not key:
            faults.append(f"{name} must be named {PREFIX}SECTION__KEY")
        elif isinstance(values := document.setdefault(section, {}), dict):
            values[key] = value
    return faults


def _parse(document: dict[str, Any], faults: list[str]) -> Config:
    try:
        config: Config = _schema(Config)().load(document)
    except ma.ValidationError as error:
        raise InvalidConfig(faults + _flatten(error.messages, "")) from error
    if faults:
        raise InvalidConfig(faults)
    return config


def _schema(settings: type) -> type[ma.Schema]:
    """Build the schema of a settings class from its annotations; its result is an instance of the class."""
    hints = get_type_hints(settings)
    members: dict[str, Any] = {key.name: _field(hints[key.name], key.metadata) for key in fields(settings)}
    members["make"] = ma.post_load(lambda _self, values, **_: settings(**values))
    return type(f"{settings.__name__}Schema", (ma.Schema,), members)


def _field(hint: Any, metadata: Mapping[str, Any]) -> ma.fields.Field[Any]:
    optional = isinstance(hint, UnionType) and NoneType in get_args(hint)
    kind = next(part for part in get_args(hint) if part is not NoneType) if optional else hint
    if is_dataclass(kind):
        return ma.fields.Nested(_schema(kind))  # type: ignore[arg-type]
    if kind is datetime:
        return _Instant(allow_none=optional)
    scalar: type[ma.fields.Field[Any]] = {str: ma.fields.String, int: ma.fields.Integer, bool: ma.fields.Boolean}[kind]
    return scalar(validate=metadata.get("check"), allow_none=optional)


class _Instant(ma.fields.AwareDateTime):
    """An instant with its offset; YAML gives a datetime already, the environment a string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise self.make_error("invalid_awareness", awareness="aware", obj_type="datetime")
        return value if isinstance(value, datetime) else super()._deserialize(value, attr, data, **kwargs)


def _flatten(messages: Any, path: str) -> list[str]:
    if isinstance(messages, dict):
        return [
            fault
            for key, inner in messages.items()
            for fault in _flatten(inner, path if key == "_schema" else f"{path}.{key}".strip("."))
        ]
    return [f"{path}: {str(message).lower().rstrip('.')}" for message in messages]


def _with_secrets(config: Config, folder: Path) -> Config:
    security = config.security
    missing = [key for key in SECRETS if not getattr(security, key)]
    if missing and config.server.environment == "production":
        raise InvalidConfig([f"{PREFIX}SECURITY__{key.upper()} is missing; production needs it" for key in missing])
    made = _development_secrets(folder / "secrets.yaml") if missing else {}
    whole = {section.name: getattr(config, section.name) for section in fields(config)}
    given = {key.name: getattr(security, key.name) for key in fields(security)}
    whole["security"] = SecuritySettings(**{**given, **{key: made[key] for key in missing}})
    _check_secrets(whole["security"])
    return Config(**whole)


def _check_secrets(security: SecuritySettings) -> None:
    faults = []
    try:
        length = len(bytes.fromhex(security.master_key))
    except ValueError:
        length = 0
    if length != MASTER_KEY_BYTES:
        faults.append(f"{PREFIX}SECURITY__MASTER_KEY must be {2 * MASTER_KEY_BYTES} hexadecimal digits")
    if len(security.session_key) < MIN_SESSION_KEY:
        faults.append(f"{PREFIX}SECURITY__SESSION_KEY must have at least {MIN_SESSION_KEY} characters")
    if faults:
        raise InvalidConfig(faults)


def _development_secrets(path: Path) -> dict[str, str]:
    """Return the secrets of this development copy, made the first time, readable by their owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {"master_key": secrets.token_hex(MASTER_KEY_BYTES), "session_key": secrets.token_hex(MIN_SESSION_KEY)}
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            yaml.safe_dump(made, file)
        # Two processes that start together both draft, and both end up with the secrets of the first to link.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    stored: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return stored

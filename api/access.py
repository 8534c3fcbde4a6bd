"""Who may come in, and to what: API keys of machines, users with roles, and the node a person is bound to.

Called by REST operations, pages and the command line. Invariant: a secret is stored only as a hash and shown once; a
caller bound to a node never learns whether something of another node exists.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_login import UserMixin
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from api.models import ApiKey, User
from kernel.db import table
from kernel.errors import Conflict, NotFound, Rejected
from kernel.ids import new_id
from stock.models import Node, NodeKind

SCOPES = {
    "orders:read": "Find and read orders, customers' returns and their history.",
    "orders:write": "Place, cancel and hold orders; request returns.",
    "availability:read": "Learn in words whether articles are in stock; for keys that the public may see.",
    "stock:read": "Read balances, entries and availability.",
    "stock:write": "Post receipts, adjustments, sales, feeds, counts and transfers.",
    "counts:review": "See what counts should find; accept, post and void them; set how nodes count.",
    "work:read": "Read fulfillment orders and pick lists.",
    "work:write": "Pick, pack, ship, hand over, receive returns.",
    "plan:read": "Read nightly runs, policies and what units are worth.",
    "plan:write": "Start, accept and reject nightly runs; change capacity, hours, tariffs, policies, worth of units.",
    "catalog:write": "Change nodes, articles, channels, carriers and postal codes.",
    "events:read": "Read the feed of events.",
    "admin": "Everything.",
}
# Who may see figures may hear words.
IMPLIED_BY = {"availability:read": "stock:read"}
ROLES = {
    "admin": frozenset(SCOPES),
    "planner": frozenset(
        {
            "orders:read",
            "stock:read",
            "stock:write",
            "counts:review",
            "work:read",
            "plan:read",
            "plan:write",
            "catalog:write",
            "events:read",
        }
    ),
    "agent": frozenset({"orders:read", "orders:write", "stock:read", "work:read"}),
    "store": frozenset({"stock:read", "stock:write", "work:read", "work:write"}),
    "supplier": frozenset({"stock:write", "work:read", "work:write"}),
}
AT_A_NODE = frozenset({"store", "supplier"})
KEY_PREFIX = "oms"
MIN_PASSWORD = 8
KEPT_S = 5.0
MOST_KEPT = 1_000


class UsernameTaken(Conflict):
    """Somebody has this username."""

    code = "username_taken"


class InvalidUser(Rejected):
    """The user or key cannot be made like this."""

    code = "invalid_user"


class KeyNotFound(NotFound):
    """There is no such key."""

    code = "key_not_found"


@dataclass(frozen=True)
class Caller:
    """Who is asking: `id` scopes idempotency keys, `actor` is written into history, `node` binds to one node."""

    id: str
    actor: str
    scopes: frozenset[str]
    node: str | None = None

    def may(self, scope: str) -> bool:
        """Tell whether the caller holds `scope`."""
        return bool({scope, IMPLIED_BY.get(scope), "admin"} & self.scopes)

    def sees(self, node: str | None) -> bool:
        """Tell whether the caller may know of things at `node`."""
        return self.node is None or self.node == node


class SignedIn(UserMixin):
    """A person with a session, as flask-login wants to see them."""

    def __init__(self, user: User) -> None:
        self.id = user.id
        self.username, self.name, self.role, self.node, self.language = (
            user.username,
            user.name,
            user.role,
            user.node,
            user.language,
        )
        self.caller = Caller(f"user:{user.id}", user.username, ROLES[user.role], user.node)


def add_key(
    session: Session, name: str, scopes: list[str], *, node: str | None = None, expires_at: datetime | None = None
) -> str:
    """Create a key and return it whole, the only time it is seen. Raises InvalidUser naming unknown scopes."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidUser(f"Unknown scopes {', '.join(unknown) or '(none given)'}; there are {', '.join(SCOPES)}.")
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    session.add(
        ApiKey(
            id=new_id(),
            name=name,
            prefix=prefix,
            secret_hash=_hashed(secret),
            scopes=sorted(scopes),
            node=node,
            expires_at=expires_at,
        )
    )
    session.flush()
    return f"{KEY_PREFIX}_{prefix}_{secret}"


def revoke_key(session: Session, prefix: str, *, now: datetime) -> None:
    """End a key for good. Raises KeyNotFound."""
    key = session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
    if key is None:
        raise KeyNotFound(f"There is no key with prefix {prefix}.")
    key.revoked_at = key.revoked_at or now
    session.flush()


# Built once, since every request of a machine comes with a key.
_KEY = select(table(ApiKey)).where(table(ApiKey).c.prefix == bindparam("prefix"))


def caller_of_key(session: Session, key: str, *, now: datetime) -> Caller | None:
    """Return whose key this is, or None when it is wrong, expired or revoked."""
    _, _, rest = key.partition("_")
    prefix, _, secret = rest.partition("_")
    stored = session.execute(_KEY, {"prefix": prefix}).one_or_none()
    right = hmac.compare_digest(_hashed(secret), stored.secret_hash if stored else _hashed(""))
    if stored is None or not right or stored.revoked_at is not None:
        return None
    if stored.expires_at is not None and stored.expires_at <= now:
        return None
    return Caller(f"key:{stored.id}", stored.name[:64], frozenset(stored.scopes), stored.node)


def add_user(
    session: Session,
    username: str,
    password: str,
    *,
    role: str,
    name: str = "",
    node: str | None = None,
    language: str = "en",
) -> User:
    """Create a user who signs in to pages. Raises UsernameTaken, InvalidUser."""
    if role not in ROLES:
        raise InvalidUser(f"There is no role {role}; use {', '.join(ROLES)}.")
    if (role in AT_A_NODE) != (node is not None):
        raise InvalidUser("Staff of a store or a supplier need the node they work at; nobody else has one.")
    place = session.get(Node, node) if node is not None else None
    if place is not None and (place.kind == NodeKind.SUPPLIER) != (role == "supplier"):
        raise InvalidUser(f"{node} is a {place.kind}: people of a supplier, and nobody else, work at a supplier.")
    if len(password) < MIN_PASSWORD:
        raise InvalidUser(f"The password needs at least {MIN_PASSWORD} characters.")
    if session.scalar(select(User.id).where(User.username == username)) is not None:
        raise UsernameTaken(f"The username {username} is taken.")
    user = User(
        id=new_id(),
        username=username,
        name=name or username,
        password_hash=_hasher().hash(password),
        role=role,
        node=node,
        language=language,
    )
    session.add(user)
    session.flush()
    return user


def sign_in(session: Session, username: str, password: str) -> SignedIn | None:
    """Return the user with this password, or None; a wrong name takes as long as a wrong password."""
    user = session.scalar(select(User).where(User.username == username, User.active.is_(True)))
    try:
        _hasher().verify(user.password_hash if user else _nobody(), password)
    except (VerificationError, InvalidHashError):
        return None
    return SignedIn(user) if user else None


def signed_in(session: Session, user_id: str) -> SignedIn | None:
    """Return the user of a session cookie, or None when they were deactivated."""
    user = session.get(User, user_id)
    return SignedIn(user) if user and user.active else None


class KeyRing:
    """The callers of keys that were proven a moment ago, so that a busy shop does not ask the database each time.

    A key that expired or was revoked is good for KEPT_S more at the most.
    """

    def __init__(self) -> None:
        self._proven: dict[bytes, tuple[float, Caller]] = {}

    def caller(self, key: str, prove: Callable[[], Caller | None]) -> Caller | None:
        """Return whose key this is, as proven a moment ago or by `prove` now."""
        name, present = _hashed(key), time.monotonic()
        proven_at, caller = self._proven.get(name, (-KEPT_S, None))
        if caller is not None and present - proven_at < KEPT_S:
            return caller
        caller = prove()
        if len(self._proven) >= MOST_KEPT:
            self._proven.clear()
        if caller is not None:
            self._proven[name] = (present, caller)
        return caller

    def forget(self) -> None:
        """Prove every key anew."""
        self._proven.clear()


def _hashed(secret: str) -> bytes:
    # A key has 256 random bits, so that a fast hash is as safe as a slow one, and each request needs it.
    return hashlib.sha256(secret.encode()).digest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_hex())

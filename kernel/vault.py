"""Personal data: encrypted, one subject a person, one key a subject; names, addresses and phones live nowhere else.

Every other table holds the subject's id. Invariant: erasing destroys the subject's key and its records, after which
nothing here, and nothing elsewhere, can name the person. Values are found again by keyed digests, never by content.
Envelope encryption with AES-256-GCM (NIST SP 800-38D); the master key comes from the door and is never stored.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Executable, Index, LargeBinary, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Code, Id, database_now, table
from kernel.errors import NotFound
from kernel.ids import new_id

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NONCE_BYTES = 12
MASTER_KEY_BYTES = 32


class SubjectErased(NotFound):
    """This person's data was erased."""

    code = "subject_erased"

    def __init__(self, subject_id: str) -> None:
        super().__init__(f"The personal data of {subject_id} was erased.")


class Subject(Base):
    """A person, by a random id; the wrapped key is null once erased."""

    __tablename__ = "subject"

    id: Mapped[Id] = mapped_column(primary_key=True)
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime] = mapped_column(server_default=database_now())
    erased_at: Mapped[datetime | None]


class SubjectRecord(Base):
    """A named document about a subject, such as "contact" or the address of one order, encrypted."""

    __tablename__ = "subject_record"

    subject_id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Code] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class SubjectDigest(Base):
    """A keyed digest by which a subject is found again by mail, phone or name; a `sole` one leads to nobody else."""

    __tablename__ = "subject_digest"
    __table_args__ = (
        Index("ix_subject_digest_kind", "kind", "digest"),
        Index(
            "uq_subject_digest_sole", "kind", "digest",
            unique=True, sqlite_where=text("sole"), postgresql_where=text("sole"),
        ),
    )  # fmt: skip

    subject_id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    sole: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True)
class Clue:
    """A value that leads to a subject; a `sole` one leads to nobody else."""

    kind: str
    value: str
    sole: bool = False


class Vault:
    """Stores and reads personal data with a master key of 32 bytes."""

    def __init__(self, master_key: bytes) -> None:
        assert len(master_key) == MASTER_KEY_BYTES, "the master key has 32 bytes"
        self._master = AESGCM(master_key)
        self._pepper = hashlib.sha256(b"digest" + master_key).digest()

    def open_subject(
        self, session: Session, *, records: Mapping[str, dict[str, Any]] | None = None, clues: Iterable[Clue] = ()
    ) -> str:
        """Create a subject with a key of its own, what is known of it, and return its id."""
        subject_id = new_id()
        key = AESGCM.generate_key(bit_length=256)
        session.execute(_OPEN, {"id": subject_id, "wrapped_key": _seal(self._master, key, subject_id)})
        self._write(session, subject_id, AESGCM(key), records or {}, clues)
        return subject_id

    def write(
        self, session: Session, subject_id: str, *, records: Mapping[str, dict[str, Any]], clues: Iterable[Clue] = ()
    ) -> None:
        """Write (or overwrite) records of a subject, and let `find` lead from the clues to it.

        When a clue is `sole` and another subject has it for itself, the database refuses (IntegrityError): of two who
        bring the same new person at the same moment, one must begin again and will find what the other wrote. Raises
        SubjectErased.
        """
        self._write(session, subject_id, self._key(session, subject_id), records, clues)

    def store(self, session: Session, subject_id: str, name: str, document: dict[str, Any]) -> None:
        """Write (or overwrite) the record `name` of a subject. Raises SubjectErased."""
        self.write(session, subject_id, records={name: document})

    def read(self, session: Session, subject_id: str, name: str) -> dict[str, Any] | None:
        """Return the record `name`, or None when there is none or the subject was erased."""
        found = session.execute(_READ, {"subject_id": subject_id, "name": name}).one_or_none()
        if found is None:
            return None
        key = AESGCM(_unseal(self._master, found.wrapped_key, subject_id))
        document: dict[str, Any] = json.loads(_unseal(key, found.ciphertext, f"{subject_id}/{name}"))
        return document

    def find(self, session: Session, kind: str, value: str) -> list[str]:
        """Return the ids of subjects that a value of this kind leads to, oldest first."""
        return list(session.scalars(_FIND, {"kind": kind, "digest": self.digest(_folded(value))}))

    @staticmethod
    def erase(session: Session, subject_id: str) -> None:
        """Destroy the subject's key, records and digests, for which no master key is needed; twice changes nothing."""
        session.execute(delete(SubjectRecord).where(SubjectRecord.subject_id == subject_id))
        session.execute(delete(SubjectDigest).where(SubjectDigest.subject_id == subject_id))
        alive = (Subject.id == subject_id) & Subject.erased_at.is_(None)
        session.execute(update(Subject).where(alive).values(wrapped_key=None, erased_at=database_now()))

    def digest(self, content: bytes) -> bytes:
        """Return a keyed hash (HMAC-SHA256), useless without the master key."""
        return hmac.new(self._pepper, content, hashlib.sha256).digest()

    def _write(
        self,
        session: Session,
        subject_id: str,
        key: AESGCM,
        records: Mapping[str, dict[str, Any]],
        clues: Iterable[Clue],
    ) -> None:
        dialect = session.get_bind().dialect.name
        sealed = [
            {"name": name, "ciphertext": _seal(key, json.dumps(document).encode(), f"{subject_id}/{name}")}
            for name, document in records.items()
        ]
        digests = [{"kind": clue.kind, "digest": self.digest(_folded(clue.value)), "sole": clue.sole} for clue in clues]
        for statement, rows in ((_STORE[dialect], sealed), (_INDEX[dialect], digests)):
            if rows:
                session.execute(statement, [{"subject_id": subject_id, **row} for row in rows])

    def _key(self, session: Session, subject_id: str) -> AESGCM:
        wrapped = session.scalar(_KEY, {"subject_id": subject_id})
        if wrapped is None:
            raise SubjectErased(subject_id)
        return AESGCM(_unseal(self._master, wrapped, subject_id))


# Statements are built once, since every order writes a person.
_SUBJECT, _RECORD, _DIGEST = table(Subject), table(SubjectRecord), table(SubjectDigest)
_OPEN = insert(_SUBJECT).values(id=bindparam("id"), wrapped_key=bindparam("wrapped_key"), recorded_at=database_now())
_KEY = select(_SUBJECT.c.wrapped_key).where(_SUBJECT.c.id == bindparam("subject_id"))
_READ = (
    select(_RECORD.c.ciphertext, _SUBJECT.c.wrapped_key)
    .join(_SUBJECT, _SUBJECT.c.id == _RECORD.c.subject_id)
    .where(_RECORD.c.subject_id == bindparam("subject_id"), _RECORD.c.name == bindparam("name"))
)
_FIND = (
    select(_DIGEST.c.subject_id)
    .where(_DIGEST.c.kind == bindparam("kind"), _DIGEST.c.digest == bindparam("digest"))
    .order_by(_DIGEST.c.subject_id)
)


def _storing(insert_: Any) -> Executable:
    row = insert_(_RECORD)
    statement: Executable = row.on_conflict_do_update(
        index_elements=["subject_id", "name"], set_={"ciphertext": row.excluded.ciphertext}
    )
    return statement


def _indexing(insert_: Any) -> Executable:
    statement: Executable = insert_(_DIGEST).on_conflict_do_nothing(index_elements=["subject_id", "kind", "digest"])
    return statement


_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_STORE = {name: _storing(insert_) for name, insert_ in _INSERTS.items()}
_INDEX = {name: _indexing(insert_) for name, insert_ in _INSERTS.items()}


def _folded(value: str) -> bytes:
    return " ".join(value.casefold().split()).encode()


def _seal(key: AESGCM, plain: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, context.encode())


def _unseal(key: AESGCM, sealed: bytes, context: str) -> bytes:
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())

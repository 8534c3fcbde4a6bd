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
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Index, LargeBinary, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Code, Id, database_now
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


class Vault:
    """Stores and reads personal data with a master key of 32 bytes."""

    def __init__(self, master_key: bytes) -> None:
        assert len(master_key) == MASTER_KEY_BYTES, "the master key has 32 bytes"
        self._master = AESGCM(master_key)
        self._pepper = hashlib.sha256(b"digest" + master_key).digest()

    def open_subject(self, session: Session) -> str:
        """Create a subject with a key of its own and return its id."""
        subject_id = new_id()
        key = AESGCM.generate_key(bit_length=256)
        wrapped = _seal(self._master, key, subject_id)
        session.execute(insert(Subject).values(id=subject_id, wrapped_key=wrapped, recorded_at=database_now()))
        return subject_id

    def store(self, session: Session, subject_id: str, name: str, document: dict[str, Any]) -> None:
        """Write (or overwrite) the record `name` of a subject. Raises SubjectErased."""
        sealed = _seal(self._key(session, subject_id), json.dumps(document).encode(), f"{subject_id}/{name}")
        row = _insert(session, SubjectRecord).values(subject_id=subject_id, name=name, ciphertext=sealed)
        session.execute(row.on_conflict_do_update(index_elements=["subject_id", "name"], set_={"ciphertext": sealed}))

    def read(self, session: Session, subject_id: str, name: str) -> dict[str, Any] | None:
        """Return the record `name`, or None when there is none or the subject was erased."""
        mine = (SubjectRecord.subject_id == subject_id) & (SubjectRecord.name == name)
        ciphertext = session.scalar(select(SubjectRecord.ciphertext).where(mine))
        if ciphertext is None:
            return None
        plain = _unseal(self._key(session, subject_id), ciphertext, f"{subject_id}/{name}")
        document: dict[str, Any] = json.loads(plain)
        return document

    def index(self, session: Session, subject_id: str, kind: str, value: str, *, sole: bool = False) -> None:
        """Let `find` lead from this value to the subject.

        When `sole` and another subject has the value for itself, the database refuses (IntegrityError): of two who
        bring the same new person at the same moment, one must begin again and will find what the other wrote.
        """
        digest = self.digest(_folded(value))
        row = _insert(session, SubjectDigest).values(subject_id=subject_id, kind=kind, digest=digest, sole=sole)
        session.execute(row.on_conflict_do_nothing(index_elements=["subject_id", "kind", "digest"]))

    def find(self, session: Session, kind: str, value: str) -> list[str]:
        """Return the ids of subjects indexed under this value, oldest first."""
        same = (SubjectDigest.kind == kind) & (SubjectDigest.digest == self.digest(_folded(value)))
        return list(session.scalars(select(SubjectDigest.subject_id).where(same).order_by(SubjectDigest.subject_id)))

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

    def _key(self, session: Session, subject_id: str) -> AESGCM:
        wrapped = session.scalar(select(Subject.wrapped_key).where(Subject.id == subject_id))
        if wrapped is None:
            raise SubjectErased(subject_id)
        return AESGCM(_unseal(self._master, wrapped, subject_id))


def _insert(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if on_postgresql else sqlite.insert(table)


def _folded(value: str) -> bytes:
    return " ".join(value.casefold().split()).encode()


def _seal(key: AESGCM, plain: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, context.encode())


def _unseal(key: AESGCM, sealed: bytes, context: str) -> bytes:
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())

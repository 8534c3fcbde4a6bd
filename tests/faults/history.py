"""What clients remember of their requests, and the judge who compares it with what the database remembers.

Clients write down when they asked, what was answered, and where they do not know, one line each. Afterwards: what was
acknowledged is there once, with the same answer each time; what was refused is absent; what is unknown is there at
most once. Each entry carries the version that its balance reached, so the order of all postings is known: it must be
one that could have happened one after the other (Adya 1999 calls a cycle in it G1c or worse), and that agrees with
the clients' clocks.
"""

import itertools
import json
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import func, select

from api import proof
from kernel.db import connect
from oms.models import Order
from stock.models import Posting, StockBalance, StockEntry

ORDER, RECEIPT, SALE = "order", "receipt", "sale"
OK, FAIL, INFO, BROKEN = "ok", "fail", "info", "broken"


class Log:
    """A file to which many clients add their lines."""

    def __init__(self, path):
        self._file, self._lock = path.open("a", buffering=1), threading.Lock()
        self.path = path

    def write(self, key, phase, **told):
        line = json.dumps({"key": key, "phase": phase, "at": time.monotonic(), **told})
        with self._lock:
            self._file.write(line + "\n")

    def close(self):
        self._file.close()


@dataclass
class Asked:
    """All that clients know of one key."""

    kind: str = ""
    units: int = 0
    invoked_at: float = 0.0
    acknowledged_at: float | None = None
    answers: set = field(default_factory=set)
    refused: bool = False
    broken: list = field(default_factory=list)


@dataclass
class Kept:
    """What the database knows of one key: the identifiers of its effects, and the units that they moved."""

    ids: list = field(default_factory=list)
    units: int = 0


def read(path):
    """Return what the clients know, by key."""
    asked = defaultdict(Asked)
    for text in path.read_text().splitlines():
        line = json.loads(text)
        of_key, phase = asked[line["key"]], line["phase"]
        if phase == "invoke":
            of_key.kind, of_key.units = line["kind"], line["units"]
            of_key.invoked_at = min(of_key.invoked_at or line["at"], line["at"])
        elif phase == OK:
            of_key.answers.add(line["answer"])
            of_key.acknowledged_at = min(of_key.acknowledged_at or line["at"], line["at"])
        elif phase == FAIL:
            of_key.refused = True
        elif phase == BROKEN:
            of_key.broken.append(line["answer"])
    return dict(asked)


def judge(path, url, tally):
    """Count into the tally what was lost, doubled or oversold, and whatever else does not add up; return the log."""
    asked = read(path)
    database = connect(url)
    with database.read() as session:
        kept = _kept(session)
        entries = session.execute(_ENTRIES).all()
        found = list(proof.findings(session))
        tally.oversold += oversold(session)
    database.dispose()
    tally.findings += len(found)
    tally.lost += sum(lost(of, kept.get(key)) for key, of in asked.items())
    tally.doubled += sum(doubled(of, kept.get(key)) for key, of in asked.items())
    tally.findings += sum(contradicts(of, kept.get(key)) for key, of in asked.items())
    tally.findings += len(impossible(entries)) + len(before_its_time(entries, asked, kept))
    return asked


def lost(asked, kept):
    """Tell whether something acknowledged is not there, or not as it was answered."""
    return bool(asked.answers) and (kept is None or not asked.answers <= set(kept.ids) or kept.units < asked.units)


def doubled(asked, kept):
    """Tell whether one request had two effects, or two answers."""
    return len(asked.answers) > 1 or (kept is not None and (len(kept.ids) > 1 or kept.units > asked.units))


def contradicts(asked, kept):
    """Tell whether something was both refused and done, or answered as nobody may be answered."""
    return (asked.refused and kept is not None) or bool(asked.broken)


def oversold(session):
    """Return how many units are promised that are not there."""
    balance = StockBalance
    beyond = balance.reserved - balance.on_hand - balance.backorder_limit
    return session.scalar(select(func.coalesce(func.sum(beyond), 0)).where(beyond > 0))


def impossible(entries):
    """Return postings of which each had to be written before the other."""
    after = defaultdict(set)
    for history in _histories(entries).values():
        in_order = [history[version] for version in sorted(history)]
        for earlier, later in itertools.pairwise(in_order):
            if earlier != later:
                after[later].add(earlier)
    try:
        TopologicalSorter(after).prepare()
    except CycleError as cycle:
        return cycle.args[1]
    return []


def before_its_time(entries, asked, kept):
    """Return keys that were acknowledged before another was asked, and yet were written after it."""
    times = {id_: (asked[key].invoked_at, asked[key].acknowledged_at)
             for key, of in kept.items() if key in asked for id_ in of.ids}  # fmt: skip
    found = []
    for history in _histories(entries).values():
        latest_invoked = 0.0
        for version in sorted(history):
            invoked_at, acknowledged_at = times.get(history[version], (None, None))
            if acknowledged_at is not None and acknowledged_at < latest_invoked:
                found.append(history[version])
            latest_invoked = max(latest_invoked, invoked_at or 0.0)
    return found


_ENTRIES = select(
    StockEntry.sku, StockEntry.posting_id, StockEntry.from_node, StockEntry.from_version,
    StockEntry.to_node, StockEntry.to_version,
)  # fmt: skip


def _histories(entries):
    """The posting that brought each balance to each version: by balance, then by version."""
    histories = defaultdict(dict)
    for entry in entries:
        for node, version in ((entry.from_node, entry.from_version), (entry.to_node, entry.to_version)):
            if node is not None:
                histories[entry.sku, node][version] = entry.posting_id
    return histories


def _kept(session):
    kept = defaultdict(Kept)
    for external_id, id_ in session.execute(select(Order.external_id, Order.id)):
        kept[external_id].ids.append(id_)
    units = dict(session.execute(_ORDERED).all())
    for of_key in kept.values():
        of_key.units = units.get(of_key.ids[0], 0)
    for reference, id_, moved in session.execute(_MOVED):
        kept[reference].ids.append(id_)
        kept[reference].units += moved
    return kept


_LINE = Order.lines.property.mapper.class_
_ORDERED = select(_LINE.order_id, func.sum(_LINE.ordered)).group_by(_LINE.order_id)
_MOVED = (
    select(Posting.reference, Posting.id, func.sum(StockEntry.units))
    .join(StockEntry, StockEntry.posting_id == Posting.id)
    .where(Posting.kind.in_((RECEIPT, SALE)))
    .group_by(Posting.reference, Posting.id)
)


def kinds(asked):
    """How many requests of each kind were acknowledged, refused, or neither."""
    fate = lambda of: OK if of.answers else FAIL if of.refused else INFO  # noqa: E731 (one expression)
    return Counter((of.kind, fate(of)) for of in asked.values())

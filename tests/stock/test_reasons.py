"""Reasons are data: what each may do is checked when it is added, and never changes afterwards."""

from itertools import product

import pytest
from sqlalchemy import select

from stock import adjustments, reasons
from stock.catalog import InvalidRows
from stock.errors import UnknownReason
from stock.models import Account, Reason
from stock.reasons import NEEDED, PAIRS, ReasonRow
from tests.stock.shelf import NOW, counters, stock

PHYSICAL = [None, "on_hand", "damaged", "quarantine", "in_transit", "supplier", "customer", "shrink", "adjustment",
            "conversion", "available", "reserved"]  # fmt: skip


def row(code="mouldy", use="adjustment", source="on_hand", target="damaged", *, active=True):
    return ReasonRow(code=code, use=use, from_account=source, to_account=target, active=active)


def faults(session, *rows):
    with pytest.raises(InvalidRows) as refused:
        reasons.put(session, rows)
    return [(fault.pointer, fault.code) for fault in refused.value.faults]


def test_the_reasons_that_come_with_the_house_do_what_reasons_may_do(session):
    stored = session.scalars(select(Reason)).all()
    for reason in stored:
        pair = (Account(reason.from_account), Account(reason.to_account)) if reason.from_account else None
        assert pair in PAIRS[reason.use], reason.code
    assert {(reason.use, reason.code) for reason in stored} >= NEEDED
    assert {reason.use for reason in stored} == set(PAIRS)


def test_a_reason_of_the_retailers_own_moves_units(session):
    assert reasons.put(session, [row(), row("stolen_display", target="shrink")]) == ["created", "created"]
    assert reasons.put(session, [row()]) == ["unchanged"]
    stock(session, coat_MAD=5)
    adjustments.adjust(session, node="MAD", sku="coat", units=-2, reason="mouldy", actor="ana", now=NOW)
    assert counters(session, "coat", "MAD") == {"on_hand": 3, "damaged": 2}


def test_a_reason_out_of_use_is_refused_and_can_come_back(session):
    reasons.put(session, [row()])
    assert reasons.put(session, [row(active=False)]) == ["updated"]
    with pytest.raises(UnknownReason):
        reasons.effect(session, "mouldy", "adjustment")
    assert "mouldy" in {reason.code for reason in reasons.known(session, "adjustment", active_only=False)}
    assert reasons.put(session, [row()]) == ["updated"]


def test_what_a_reason_does_never_changes(session):
    reasons.put(session, [row()])
    assert faults(session, row(target="shrink")) == [("/0/code", "effect_is_fixed")]


def test_the_reason_when_nobody_gives_one_stays_in_use(session):
    assert faults(session, row("recount", target="adjustment", active=False)) == [("/0/active", "needed")]


def test_every_fault_is_named_by_row(session):
    given = [row(use="mood"), row(code=""), row("x", target="customer"), row("x", target="customer")]
    assert faults(session, *given) == [
        ("/3/use", "repeated"), ("/0/use", "invalid"), ("/1/code", "invalid"), ("/2/to_account", "no_such_effect"),
        ("/3/to_account", "no_such_effect"),
    ]  # fmt: skip


@pytest.mark.parametrize("use", list(PAIRS))
def test_only_accounts_that_make_sense_for_a_use_are_taken(session, use):
    taken = set()
    for source, target in product(PHYSICAL, PHYSICAL):
        try:
            reasons.put(session, [row(f"{source}-{target}", use, source, target)])
        except InvalidRows:
            continue
        taken.add((source, target) if source else None)
    assert taken == PAIRS[use]

"""Goods from suppliers at the store's door: what is expected, counted by scan or by hand, and taken in.

The form itself holds what was counted so far, so that nothing is written before the clerk says that it is so, and a
page that was sent twice takes the goods in once. Invariant: goods that came can always be taken in; what is beyond the
order is asked for once more, with where it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from api import deciding
from api.house import house
from api.pages.store.answers import Answer, article_words
from api.pages.store.room import at_this_node, here, store
from api.pages.visit import caller, doors, now, vault
from api.pages.words import GRADE_EFFECTS, reason
from api.transaction import RequestKey
from kernel.idempotency import Answer as Stored
from kernel.ids import new_id
from stock import purchasing, reasons, receipts, reports
from stock.catalog import find_article
from stock.models import Account, Article
from stock.postings import Header
from stock.purchasing import PurchaseOrder
from stock.receipts import GOOD, BeyondOrder, Delivered

BLIND = "blind"
DAMAGED = "damaged"
MOST = 1_000_000
EFFECTS = {Account.ON_HAND: "resell", Account.DAMAGED: "damaged", Account.QUARANTINE: "quarantine"}


@dataclass(frozen=True)
class Counted:
    """Units of an article that came, how many of them damaged, and how many were expected."""

    sku: str
    came: int = 0
    damaged: int = 0
    expected: int = 0


@dataclass(frozen=True)
class Choice:
    """As what units beyond the order can be taken in, and what that does to them."""

    code: str
    word: str
    effect: str


@store.get("/<node>/deliveries")
def deliveries() -> ResponseReturnValue:
    """Show what suppliers are to bring."""
    coming = doors().read(lambda session: purchasing.expected(session, here().id))
    units = {order.id: sum(line.outstanding for line in order.lines) for order in coming}
    return render_template("store/deliveries.html", coming=coming, units=units)


@store.get("/<node>/deliveries/<order_id>")
def delivery(order_id: str) -> ResponseReturnValue:
    """Show what should have come; an order named `blind` is goods that nobody ordered here."""
    return doors().read(lambda session: _page(session, order_id, _expected(_order(session, order_id))))


@store.post("/<node>/deliveries/<order_id>")
def delivery_count(order_id: str) -> ResponseReturnValue:
    """Count one scan, or take in what was counted."""
    counted = doors().read(lambda session: _as_typed(_expected(_order(session, order_id))))
    if request.form.get("step") != "receive":
        return doors().read(lambda session: _scan(session, order_id, counted))
    came = [line for line in counted if line.came]
    if not came and not request.form.get("complete"):
        nothing = Answer("bad", gettext("Nothing was counted yet."))
        return doors().read(lambda session: _page(session, order_id, counted, nothing))
    try:
        _take_in(order_id, came)
    except BeyondOrder:
        return doors().read(lambda session: _page(session, order_id, counted, beyond=_choices(session)))
    units = sum(line.came for line in came)
    flash(ngettext("%(num)s unit taken in.", "%(num)s units taken in.", units), "good")
    return redirect(url_for("pages.store.deliveries"), code=303)


def _order(session: Session, order_id: str) -> PurchaseOrder | None:
    return None if order_id == BLIND else at_this_node(purchasing.order(session, order_id))


def _expected(order: PurchaseOrder | None) -> list[Counted]:
    return [Counted(line.sku, expected=line.outstanding) for line in order.lines] if order else []


def _as_typed(expected: Sequence[Counted]) -> list[Counted]:
    """Return what the form says of the articles expected, and of those that were added to it."""
    named = dict.fromkeys(name.removeprefix("came-") for name in request.form if name.startswith("came-"))
    known = {line.sku: line for line in expected}
    lines = [known.get(sku, Counted(sku)) for sku in {**known, **named}]
    return [
        replace(line, came=(came := _number(f"came-{line.sku}")), damaged=min(came, _number(f"damaged-{line.sku}")))
        for line in lines
    ]


def _number(name: str) -> int:
    return min(max(request.form.get(name, 0, type=int), 0), MOST)


def _scan(session: Session, order_id: str, counted: list[Counted]) -> str:
    code = request.form.get("code", "").strip()
    if not code:
        return _page(session, order_id, counted)
    article = find_article(session, code)
    if article is None:
        said = Answer("bad", gettext("No article has the code %(code)s. Nothing was counted.", code=code))
        return _page(session, order_id, counted, said)
    line = next((line for line in counted if line.sku == article.sku), Counted(article.sku))
    others = [other for other in counted if other.sku != article.sku]
    line = replace(line, came=line.came + 1)
    return _page(session, order_id, [line, *others], _heard(article, line, ordered=order_id != BLIND))


def _heard(article: Article, line: Counted, *, ordered: bool) -> Answer:
    if ordered and line.came > line.expected:
        return Answer("calm", gettext("%(article)s: more than expected.", article=article_words(article)))
    return Answer("good", gettext("%(article)s: %(count)s counted.", article=article_words(article), count=line.came))


def _take_in(order_id: str, came: Iterable[Counted]) -> None:
    """Receive once what was counted, whatever happens to the page."""
    states = [(line.sku, line.came - line.damaged, GOOD) for line in came]
    states += [(line.sku, line.damaged, DAMAGED) for line in came]
    lines = [(sku, units, state) for sku, units, state in states if units]
    beyond, complete = request.form.get("reason") or None, bool(request.form.get("complete"))
    said = repr((order_id, sorted(lines), beyond, complete)).encode()
    key = RequestKey(caller().id, request.form.get("scan_id") or new_id(), vault().digest(said))
    actor, at = caller().actor, now()

    def receive(session: Session, _plan: None) -> Stored:
        order = _order(session, order_id)
        if order is not None:
            receipts.receive_ordered(session, order.id, lines, beyond=beyond, complete=complete, actor=actor, now=at)
        else:
            header = Header(kind="receipt", actor=actor, occurred_at=at)
            receipts.receive(session, header, [Delivered(here().id, *line) for line in lines])
        return Stored(200, None)

    doors().answer(key, lambda _session: None, receive)
    deciding.after_stock(house(), {sku for sku, _, _ in lines}, actor=actor)


def _choices(session: Session) -> list[Choice]:
    known = reasons.known(session, reasons.RECEIPT)
    return [
        Choice(each.code, reason(each.code), str(GRADE_EFFECTS[EFFECTS[Account(each.to_account)]]))
        for each in known
        if each.to_account and each.code != DAMAGED
    ]


def _page(
    session: Session,
    order_id: str,
    counted: Sequence[Counted],
    said: Answer | None = None,
    beyond: Sequence[Choice] = (),
) -> str:
    return render_template(
        "store/delivery.html",
        order=_order(session, order_id),
        counted=counted,
        articles=reports.articles(session, {line.sku for line in counted}),
        said=said,
        beyond=beyond,
        key=request.form.get("scan_id") or new_id(),
    )

"""One order on one page: what was sold, where every unit stands, what happened, and why each node was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from api.pages import words
from api.pages.orders import decision, timeline
from api.pages.orders.decision import Told
from api.pages.orders.sentences import sentence_of
from api.pages.orders.words import PUBLIC, REASONS_TO_CANCEL, REASONS_TO_HOLD
from api.pages.visit import caller, config, doors, now, vault
from fulfillment.sourcing import flip, story
from fulfillment.sourcing.setbacks import NEEDS_PERSON
from fulfillment.work.models import Method
from kernel.vault import SubjectErased, Vault
from oms import customers, queries, view
from oms.models import OrderStatus
from oms.view import LineView, OrderView, PartView
from stock import reports
from stock.models import Article, Node

CLOSED = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED})


@dataclass(frozen=True)
class Happened:
    """One thing that happened, as the timeline shows it."""

    at: datetime
    told: str
    why: str
    tone: str
    actor: str
    fulfillment_order: str | None


@dataclass(frozen=True)
class OrderPage:
    """All that the page answers about an order."""

    view: OrderView
    articles: dict[str, Article]
    nodes: dict[str, Node]
    decisions: list[Told]
    timeline: list[Happened]
    contact: dict[str, Any] | None
    address: dict[str, Any] | None

    @property
    def is_open(self) -> bool:
        """Whether anything can still change."""
        return self.view.order.status not in CLOSED

    @property
    def standing_holds(self) -> list[str]:
        """The reasons for which the order is held now."""
        return [hold.reason for hold in self.view.holds if hold.lifted_at is None]

    @property
    def reasons_to_hold(self) -> list[str]:
        """The reasons for which it may be held still."""
        return [reason for reason in REASONS_TO_HOLD if reason not in self.standing_holds]

    @property
    def waits(self) -> bool:
        """Whether units have no node."""
        return any(line.counters.waiting for line in self.view.lines)

    @property
    def needs_person(self) -> bool:
        """Whether units wait until somebody says how they go on."""
        return any(line.waiting_reason in {NEEDS_PERSON, queries.NO_NODE} for line in self.view.lines)

    @property
    def is_shipped(self) -> bool:
        """Whether some of it goes to an address."""
        return any(line.line.method == Method.SHIP for line in self.view.lines)

    @property
    def cancellable(self) -> bool:
        """Whether some units have not left."""
        return self.is_open and any(self.may_cancel(line) for line in self.view.lines)

    def article(self, sku: str) -> str:
        """Return the name of an article with size and colour."""
        article = self.articles.get(sku)
        return ", ".join(filter(None, (article.name, article.size, article.colour))) if article else sku

    def node(self, node_id: str) -> str:
        """Return the name of a node."""
        return self.nodes[node_id].name if node_id in self.nodes else node_id

    def zone(self, node_id: str) -> str:
        """Return the time zone of a node."""
        return self.nodes[node_id].time_zone if node_id in self.nodes else config().night.time_zone

    def may_cancel(self, line: LineView) -> int:
        """Return how many units of a line have not left."""
        return line.counters.waiting + line.counters.allocated

    def parts_of(self, line: LineView) -> list[PartView]:
        """Return the fulfillment orders that serve a line."""
        return [
            part
            for part in self.view.parts
            if any(each.demand_line_id == line.line.id and each.units for each in part.fulfillment_order.lines)
        ]


def page(order_id: str) -> ResponseReturnValue:
    """Show an order."""
    shown = doors().read(lambda session: gather(session, vault(), order_id))
    return render_template(
        "orders/order.html", page=shown, view=shown.view, order=shown.view.order,
        public=words.State(*PUBLIC[shown.view.public_status]), may_write=caller().may("orders:write"),
        reasons_to_cancel=REASONS_TO_CANCEL, now=now(), zone=config().night.time_zone,
        currency=config().network.currency,
    )  # fmt: skip


def flips(order_id: str, decision_id: str) -> ResponseReturnValue:
    """Tell what would have flipped a decision."""
    found = doors().read(lambda session: _flips(session, order_id, decision_id))
    return render_template("orders/flips.html", flips=found)


def _flips(session: Session, order_id: str, decision_id: str) -> list[str]:
    (decision,) = view.decisions(session, order_id, only=decision_id)
    names = {node.id: node.name for node in reports.nodes(session)}
    told = [each.sentence(names, config().network.currency) for each in flip.flips_of(session, decision)]
    return [sentence_of(sentence.code, sentence.values) for sentence in told]


def gather(session: Session, safe: Vault, order_id: str) -> OrderPage:
    """Read an order with the names of all it holds. Raises UnknownOrder."""
    whole = view.whole(session, order_id)
    nodes = {node.id: node for node in reports.nodes(session)}
    names = {node.id: node.name for node in nodes.values()}
    currency = config().network.currency
    before = story.stories(session, whole.decisions, names=names)
    contact, address = _person(session, safe, whole)
    return OrderPage(
        view=whole,
        articles=reports.articles(session, {line.line.sku for line in whole.lines}),
        nodes=nodes,
        decisions=[decision.tell(each, before[each.id], names, currency) for each in reversed(whole.decisions)],
        timeline=[_happened(moment, names) for moment in reversed(whole.timeline)],
        contact=contact,
        address=address,
    )


def _person(session: Session, safe: Vault, whole: OrderView) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return who it is for and where it goes; nothing once the person was erased."""
    try:
        return customers.contact(session, safe, whole.order.customer_id), customers.address(session, safe, whole.order)
    except SubjectErased:
        return None, None


def _happened(moment: view.Moment, names: dict[str, str]) -> Happened:
    return Happened(
        at=moment.occurred_at,
        told=timeline.told(moment, names),
        why=timeline.why(moment),
        tone=timeline.tone(moment),
        actor=moment.actor,
        fulfillment_order=moment.fulfillment_order,
    )

"""The pages of orders, for staff of any channel: find one, see all that happened to it and why, cancel, hold.

Registered by `api/pages`. Invariant: agents, planners and administrators read; whoever changes an order holds the scope
that the REST interface asks for, too.
"""

from __future__ import annotations

from flask import Blueprint

from api.pages.gate import for_roles
from api.pages.orders import change, find, order, recovering
from api.pages.orders.words import public, remedy

room = Blueprint("orders", __name__, url_prefix="/orders")
room.record_once(lambda state: state.app.jinja_env.filters.update(public=public, remedy=remedy))
room.before_request(for_roles("agent", "planner", "admin"))

room.add_url_rule("/", "find", find.page)
room.add_url_rule("/<order_id>", "order", order.page)
room.add_url_rule("/<order_id>/decisions/<decision_id>/flips", "flips", order.flips)
room.add_url_rule("/<order_id>/recovery", "recovery", recovering.page)
room.add_url_rule("/<order_id>/recovery", "recover", recovering.choose, methods=["POST"])
room.add_url_rule("/<order_id>/cancel", "foresee", change.foresee)
room.add_url_rule("/<order_id>/cancel", "cancel", change.cancel, methods=["POST"])
room.add_url_rule("/<order_id>/hold", "hold", change.hold, methods=["POST"])
room.add_url_rule("/<order_id>/lift", "lift", change.lift, methods=["POST"])
room.add_url_rule("/<order_id>/address", "address", change.correct_address, methods=["POST"])

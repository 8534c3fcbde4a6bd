"""The planner's pages: the network today, one node, carriers, what waits, and the runs of the night.

Registered by `api/pages`. Invariant: open to planners and administrators only; every filter and sort is in the address,
so that any view can be shared.
"""

from __future__ import annotations

from flask import Blueprint

from api.pages.gate import for_roles
from api.pages.planner import carriers, network, node, runs, waiting

room = Blueprint("planner", __name__, url_prefix="/planner")
room.before_request(for_roles("planner", "admin"))

room.add_url_rule("/", "network", network.page)
room.add_url_rule("/ledger", "ledger", network.prove_ledger, methods=["POST"])

room.add_url_rule("/nodes/<node_id>", "node", node.page)
room.add_url_rule("/nodes/<node_id>/stop", "stop", node.stop, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/resume", "resume", node.resume, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/hours", "hours", node.set_hours, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/work", "work", node.set_work, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/capacity", "capacity", node.set_capacity, methods=["POST"])

room.add_url_rule("/carriers", "carriers", carriers.listing)
room.add_url_rule("/carriers/<service_id>", "carrier", carriers.page)
room.add_url_rule("/carriers/<service_id>/tariffs", "tariffs", carriers.set_tariffs, methods=["POST"])

room.add_url_rule("/waiting", "waiting", waiting.page)
room.add_url_rule("/waiting/decide", "decide", waiting.decide, methods=["POST"])

room.add_url_rule("/runs", "runs", runs.listing)
room.add_url_rule("/runs", "start", runs.start, methods=["POST"])
room.add_url_rule("/runs/<run_id>", "run", runs.page)
room.add_url_rule("/runs/<run_id>/progress", "progress", runs.progress)
room.add_url_rule("/runs/<run_id>/accept", "accept", runs.accept, methods=["POST"])
room.add_url_rule("/runs/<run_id>/reject", "reject", runs.reject, methods=["POST"])

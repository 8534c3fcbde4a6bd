"""The planner's pages: the network today, one node, carriers, policies, what waits, counts, and the runs.

Registered by `api/pages`. Invariant: open to planners and administrators only; every filter and sort is in the address,
so that any view can be shared.
"""

from __future__ import annotations

from decimal import Decimal

from babel import numbers
from babel.dates import get_day_names
from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from flask_babel import get_locale, gettext

from api.pages import costs, export, words
from api.pages.gate import for_roles
from api.pages.planner import (
    carriers,
    count_rules,
    counting,
    ledger,
    network,
    node,
    policies,
    removing,
    rules,
    runs,
    safety,
    waiting,
)
from kernel.money import Money

room = Blueprint("planner", __name__, url_prefix="/planner")


def _speak(state: BlueprintSetupState) -> None:
    """Give the templates the words that only the desk uses."""
    state.app.jinja_env.filters.update(
        term=costs.term, exclusion=costs.exclusion, weekday=weekday, cause=cause,
        plain_money=export.plain, round_money=round_money, policy_fences=rules.fences, policy_bands=rules.bands,
        policy_groups=rules.groups, policy_weights=rules.weights, policy_changes=rules.changes,
    )  # fmt: skip


def weekday(number: int) -> str:
    """Return the name of a weekday; 0 is Monday."""
    return str(get_day_names("wide", locale=get_locale())[number])


def cause(code: str) -> str:
    """Return what caused a run or a decision."""
    known = {
        "planner": gettext("by hand"), "night": gettext("nightly"), "order": gettext("as the order came in"),
        "address": gettext("another address"), "waiting": gettext("stock, capacity or time changed"),
        "stock": gettext("stock came in or was lost"), "short_pick": gettext("not found"),
        "rejection": gettext("refused"), "node_closed": gettext("the node closed"),
        "missed_cut_off": gettext("not begun when it was to leave"), "recovery": gettext("a person chose"),
    }  # fmt: skip
    return known.get(code, words.spelled(code))


def round_money(minor: int, currency: str) -> str:
    """Write a large amount without its small digits."""
    whole = round(Decimal(Money(minor, currency).amount))
    return str(numbers.format_currency(whole, currency, currency_digits=False, format="¤#,##0", locale=get_locale()))


room.record_once(_speak)
room.before_request(for_roles("planner", "admin"))

room.add_url_rule("/", "network", network.page)
room.add_url_rule("/ledger", "ledger", ledger.page)
room.add_url_rule("/ledger", "prove", ledger.prove, methods=["POST"])

room.add_url_rule("/nodes/<node_id>", "node", node.page)
room.add_url_rule("/nodes/<node_id>/stop", "stop", node.stop, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/resume", "resume", node.resume, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/hours", "hours", node.set_hours, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/work", "work", node.set_work, methods=["POST"])
room.add_url_rule("/nodes/<node_id>/capacity", "capacity", node.set_capacity, methods=["POST"])

room.add_url_rule("/carriers", "carriers", carriers.listing)
room.add_url_rule("/carriers/<service_id>", "carrier", carriers.page)
room.add_url_rule("/carriers/<service_id>/tariffs", "tariffs", carriers.set_tariffs, methods=["POST"])
room.add_url_rule("/carriers/<service_id>/remove", "carrier_removal", removing.page)
room.add_url_rule("/carriers/<service_id>/remove", "carrier_remove", removing.remove, methods=["POST"])

ONE_POLICY = "/policies/<policy_id>/<int:version>"
room.add_url_rule("/policies", "policies", policies.listing)
room.add_url_rule("/policies", "draft_policy", policies.draft, methods=["POST"])
room.add_url_rule(ONE_POLICY, "policy", policies.page)
room.add_url_rule(f"{ONE_POLICY}/save", "save_policy", policies.save, methods=["POST"])
room.add_url_rule(f"{ONE_POLICY}/activate", "activate_policy", policies.activate, methods=["POST"])
room.add_url_rule(f"{ONE_POLICY}/archive", "archive_policy", policies.archive, methods=["POST"])
room.add_url_rule(f"{ONE_POLICY}/shadow", "shadow_policy", policies.run_beside, methods=["POST"])

room.add_url_rule("/safety-rules", "safety", safety.page)
room.add_url_rule("/safety-rules", "safety_save", safety.save, methods=["POST"])
room.add_url_rule("/safety-rules/remove", "safety_remove", safety.remove, methods=["POST"])

room.add_url_rule("/counts", "counts", counting.listing)
room.add_url_rule("/counts/rules", "count_rules", count_rules.page)
room.add_url_rule("/counts/rules", "count_rule_save", count_rules.save, methods=["POST"])
room.add_url_rule("/counts/rules/remove", "count_rule_remove", count_rules.remove, methods=["POST"])
room.add_url_rule("/counts/<count_id>", "count", counting.page)
room.add_url_rule("/counts/<count_id>", "decide_count", counting.decide, methods=["POST"])
room.add_url_rule("/counts/<count_id>/void", "void_count", counting.void, methods=["POST"])

room.add_url_rule("/waiting", "waiting", waiting.page)
room.add_url_rule("/waiting/decide", "decide", waiting.decide, methods=["POST"])

room.add_url_rule("/runs", "runs", runs.listing)
room.add_url_rule("/runs", "start", runs.start, methods=["POST"])
room.add_url_rule("/runs/<run_id>", "run", runs.page)
room.add_url_rule("/runs/<run_id>/progress", "progress", runs.progress)
room.add_url_rule("/runs/<run_id>/accept", "accept", runs.accept, methods=["POST"])
room.add_url_rule("/runs/<run_id>/cancel", "cancel", runs.cancel, methods=["POST"])
room.add_url_rule("/runs/<run_id>/reject", "reject", runs.reject, methods=["POST"])

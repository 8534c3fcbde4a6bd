"""The terms of the objective that come from the network, one pure function each.

Sourcing and planning call them for K options (a node, a service, a day) and L lines, and hand the optimizer what they
return. Invariant: every result is in whole minor units of the network's currency, K long for a package, (L,K) for
lines; adding a term is adding a function here and its name where problems are built.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

DAY_S: Final = 86_400
HOUR_S: Final = 3_600


def handling(package_cost_minor: Integers, node: Integers) -> Integers:
    """Labour and material of one package at the option's node, in minor units (K).

    `package_cost_minor` is by node (N), `node` the index of each option's node (K).
    """
    return package_cost_minor[node]


def carrier(price_minor: Integers, node: Integers) -> Integers:
    """What the carrier asks, in minor units (K) or (L,K), from prices by node (N) or (L,N)."""
    return price_minor[..., node]


def line_handling(line_cost_minor: Integers, unit_cost_minor: Integers, units: Integers, node: Integers) -> Integers:
    """Labour of picking a line: once for the line and for each of its units, in minor units (L,K).

    Costs are by node (N), `units` by line (L).
    """
    return line_cost_minor[node] + units[:, None] * unit_cost_minor[node]


def lateness(arrives_s: Integers, due_s: int, per_day_minor: int) -> Integers:
    """Penalty for each day begun after the due instant, in minor units (K); instants in seconds.

    The day on which clocks go back has 25 hours: an evening later is one day late, not two.
    """
    late_s = arrives_s - due_s
    late_days = np.where(late_s > 0, np.maximum(-((HOUR_S - late_s) // DAY_S), 1), 0)
    return late_days * per_day_minor


def pick_risk(pick_success: NDArray[np.float64], resource_minor: int, node: Integers) -> Integers:
    """Expected cost of sourcing a line anew, as its units are not found, in minor units (L,K).

    `pick_success` is how likely the node finds the line (L,N), `resource_minor` what a line costs that is not found.
    An expected cost of this form orders stores that may refuse: O. Baron, A. Cire and S. Savaser, Decentralized Online
    Order Fulfillment in Omni-Channel Retailers, 2024, doi:10.1177/10591478241255066.
    """
    risk: Integers = np.rint((1.0 - pick_success[:, node]) * resource_minor).astype(np.int64)
    return risk


def preference(by_node_minor: Integers, node: Integers, day: Integers) -> Integers:
    """Tie-break between packages that cost the same: preferred kind of node, then earlier day; minor units (K).

    `by_node_minor` is what the policy adds by node (N), `day` the number of working days that the work is put off (K).
    """
    return by_node_minor[node] + day


def churn(node: Integers, current: NDArray[np.bool_], per_line_minor: int) -> Integers:
    """What it costs to take a line away from the nodes that have it now, in minor units (L,K).

    `current` (L,N) tells which nodes have units of the line allocated; a line that none has costs nothing to place.
    """
    allocated = current.sum(axis=1, keepdims=True) > 0
    return np.where(allocated & ~current[:, node], per_line_minor, 0)


def failed_before(dearer_minor: Integers, node: Integers) -> Integers:
    """What it costs beyond money to give a line again to a node that failed it, in minor units (L,K).

    `dearer_minor` (L,N) is what the policy adds by line and node, zero where nothing went wrong.
    """
    return dearer_minor[:, node]


def shadow_price(price_minor: Integers, units: Integers, node: Integers) -> Integers:
    """Worth of the units to the orders still to come, which taking them here costs, in minor units (L,K).

    `price_minor` is what one more unit of the line's article at each node is worth (L,N), `units` are by line (L). J.
    Acimovic and S. C. Graves, Making Better Fulfillment Decisions on the Fly in an Online Retail Environment, 2015,
    doi:10.1287/msom.2014.0505.
    """
    return units[:, None] * price_minor[:, node]


def markdown(saved_minor: Integers, units: Integers, node: Integers) -> Integers:
    """Markdown that is avoided by taking the units here, as a negative cost in minor units (L,K).

    `saved_minor` is the markdown expected on one unit that stays at each node (L,N), `units` are by line (L). P.
    Harsha, S. Subramanian and J. Uichanco, Dynamic Pricing of Omnichannel Inventories, 2019.
    """
    return -units[:, None] * saved_minor[:, node]


def share_used(left_minutes: Integers, capacity_minutes: Integers) -> NDArray[np.float64]:
    """Return the share of capacities that is claimed, from 0 to 1; all of a day that has no minutes."""
    share = 1.0 - left_minutes / np.maximum(capacity_minutes, 1)
    return np.where(capacity_minutes > 0, np.clip(share, 0.0, 1.0), 1.0)


def capacity(minutes: Integers, used: NDArray[np.float64], full_minor: int) -> Integers:
    """Price of a node's minutes as its day fills up, in minor units, in the shape of `minutes` (K) or (L,K).

    `used` is the share of the day's minutes that is claimed (K), `full_minor` the price of a minute when all are. It
    grows as (e^used - 1) / (e - 1), the primal-dual price that needs no forecast: J. Andrews, V. Farias, A. Khojandi
    and C. Yan, Primal-Dual Algorithms for Order Fulfillment at Urban Outfitters, Inc., 2019.
    """
    price = full_minor * np.expm1(used) / np.expm1(1.0)
    rounded: Integers = np.rint(minutes * price).astype(np.int64)
    return rounded

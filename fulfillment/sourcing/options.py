"""The ways to serve one demand: options, each a node with a carrier service on one of the node's next working days.

Built from the network's arrays for `gather`, by `shipping` and `collection`; pure. Invariant: an option that is listed
keeps every rule of the network and of the policy but for stock shared with others and minutes, which the solver weighs;
a node without an option is listed with the first rule that excluded it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fulfillment.network.freight import carriable
from fulfillment.network.offers import ANYTHING
from fulfillment.sourcing.fences import Fences
from fulfillment.sourcing.pricing import priced
from fulfillment.sourcing.scene import Flags, Integers, Scene
from fulfillment.sourcing.ways import Legs


@dataclass(frozen=True, eq=False)
class Options:
    """K options as arrays, and the nodes that have none by the rule that excluded them.

    node, offer, ordinal, leaves_s, arrives_s  K  `offer` indexes the snapshot's services, DIRECT for none
    package_terms T,K; line_terms T,L,K; work K; eligible L,K, which lines an option may serve
    could, withheld  N  what soft fences keep out, see `Fences`
    zone  the clock by which arrivals are told: the destination's, or that of the store of a collection
    """

    node: Integers
    offer: Integers
    ordinal: Integers
    leaves_s: Integers
    arrives_s: Integers
    transfer: Flags
    package_terms: Integers
    line_terms: Integers
    work: Integers
    line_work: Integers
    eligible: Flags
    zone: str
    excluded: Mapping[str, list[int]] = field(default_factory=dict)
    reachable: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    could: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    withheld: Mapping[str, Flags] = field(default_factory=dict)


def listed(
    scene: Scene, legs: Legs, fences: Fences, reachable: Flags, *, due_s: int, zone: str, store: int | None = None
) -> Options:
    """Price the ways and list them as options."""
    package, line = priced(scene, legs, due_s=due_s, store=store)
    net, node = scene.net, legs.node
    return Options(
        node=node,
        offer=legs.offer,
        ordinal=legs.ordinal,
        leaves_s=legs.leaves_s,
        arrives_s=legs.arrives_s,
        transfer=np.zeros(len(node), dtype=np.bool_) if store is None else node != store,
        package_terms=package,
        line_terms=line,
        work=net.package_minutes[node],
        line_work=np.broadcast_to(net.line_minutes[node], (len(scene.units), len(node))),
        eligible=_eligible(scene, legs),
        zone=zone,
        excluded=fences.excluded,
        reachable=reachable,
        could=fences.could,
        withheld=fences.withheld,
    )


def _eligible(scene: Scene, legs: Legs) -> Flags:
    """Tell which lines may travel which ways (L,K): those the node is allowed, and the carrier takes."""
    eligible: Flags = scene.allowed[:, legs.node]
    for number, offer in enumerate(scene.net.services):
        if scene.goods is not None and offer.limits != ANYTHING:
            eligible &= carriable(offer, scene.goods)[:, None] | (legs.offer != number)
    return eligible

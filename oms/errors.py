"""What the order service refuses, each with a stable code and a sentence that says what to do instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel.errors import Conflict, Fault, NotFound, Rejected
from kernel.money import Money

if TYPE_CHECKING:
    from fulfillment.sourcing.promises import Alternative


class InvalidOrder(Rejected):
    """The order cannot be taken as it is written; every fault is listed."""

    code = "invalid_order"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"The order has {_counted(faults)}; nothing was written.", faults=tuple(faults))


class InvalidCart(Rejected):
    """Something in the cart is wrong; every fault is listed."""

    code = "invalid_cart"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"The cart has {_counted(faults)}; nothing was written.", faults=tuple(faults))


class InvalidRequest(Rejected):
    """A request about an order, a return or a channel is wrong; every fault is listed."""

    code = "invalid_request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"The request has {_counted(faults)}; nothing was written.", faults=tuple(faults))


class UnknownOrder(NotFound):
    """There is no such order."""

    code = "unknown_order"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"There is no order {order_id}.")


class NothingToRecover(Conflict):
    """Of a demand nothing waits, and somebody works on all the rest."""

    code = "nothing_to_recover"

    def __init__(self, number: str) -> None:
        super().__init__(f"Of order {number} nothing is left to decide there: somebody works on it, or it has left.")


class RemedyGone(Conflict):
    """The way that was chosen serves nothing any more."""

    code = "remedy_gone"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} cannot go on that way any more; look at the choices again.")


class UnknownCustomer(NotFound):
    """There is no such customer."""

    code = "unknown_customer"

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"There is no customer {customer_id}.")


class UnknownReturn(NotFound):
    """There is no such return."""

    code = "unknown_return"

    def __init__(self, return_id: str) -> None:
        super().__init__(f"There is no return {return_id}.")


class UnknownCart(NotFound):
    """There is no such cart."""

    code = "unknown_cart"

    def __init__(self, cart_id: str) -> None:
        super().__init__(f"There is no cart {cart_id}.")


class CartClosed(Conflict):
    """Nobody shops with this cart any more."""

    code = "cart_closed"

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"Cart {code} {why}; start another one.")


class CartChanged(Conflict):
    """The cart was changed, ordered or given up while it was being decided: begin again with what it is now."""

    code = "cart_changed"

    def __init__(self, code: str) -> None:
        super().__init__(f"Cart {code} was changed meanwhile; read it again.")


class UnknownDecision(NotFound):
    """No such decision was made about the order."""

    code = "unknown_decision"

    def __init__(self, order_id: str, decision_id: str) -> None:
        super().__init__(f"There is no decision {decision_id} about order {order_id}.")


class UnknownPromise(NotFound):
    """There is no such promise, or not any more."""

    code = "unknown_promise"

    def __init__(self, promise_id: str) -> None:
        super().__init__(f"There is no promise {promise_id}; ask for promises again.")


class PromiseExpired(Conflict):
    """What was quoted is no longer valid, and nothing is held for it."""

    code = "promise_expired"

    def __init__(self, promise_id: str) -> None:
        super().__init__(f"Promise {promise_id} has expired; ask for promises again.")


class PromiseGone(Conflict):
    """Others took units or minutes of a promise before it was held; nothing was held."""

    code = "promise_gone"

    def __init__(self, faults: Sequence[Fault]) -> None:
        sentences = " ".join(fault.message for fault in faults)
        super().__init__(f"Others were faster; ask for promises again. {sentences}", faults=tuple(faults))


class HoldExpired(Conflict):
    """What was held has run out, others have bought it since, and the channel wants short orders refused."""

    code = "hold_expired"

    def __init__(self, faults: Sequence[Fault]) -> None:
        sentences = " ".join(fault.message for fault in faults)
        super().__init__(
            f"The hold has run out and not everything is left; nothing was written. {sentences}", faults=tuple(faults)
        )


class DuplicateOrder(Conflict):
    """The channel has used this external id for another order."""

    code = "duplicate_order"

    def __init__(self, channel: str, external_id: str, number: str) -> None:
        super().__init__(
            f"Channel {channel} has used {external_id} for order {number}, which reads otherwise; "
            "edit that order, or send this one under an id of its own."
        )
        self.number = number


class OutOfStock(Conflict):
    """Stock is short, and the channel wants such orders refused; nothing was written.

    `alternatives` are the other ways to have a collection that its store cannot serve.
    """

    code = "out_of_stock"

    def __init__(self, faults: Sequence[Fault], *, alternatives: Sequence[Alternative] = ()) -> None:
        sentences = " ".join(fault.message for fault in faults)
        super().__init__(f"The order was refused for want of stock. {sentences}", faults=tuple(faults))
        self.alternatives = tuple(alternatives)


class NothingToCancel(Conflict):
    """Units were to be cancelled that are cancelled already or have left."""

    code = "nothing_to_cancel"

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(f"{message} What has left comes back as a return.", faults=tuple(faults))


class NotOnHold(Conflict):
    """The order is not held for this reason."""

    code = "not_on_hold"

    def __init__(self, number: str, reason: str) -> None:
        super().__init__(f"Order {number} is not held for {reason!r}.")


class AddressNeeded(Conflict):
    """An order held for its address goes on only with an address that can be found."""

    code = "address_needed"

    def __init__(self, number: str) -> None:
        super().__init__(f"Order {number} is held for its address; correct the address, which lifts the hold.")


class AddressFixed(Conflict):
    """Where an order goes can no longer change, or never could."""

    code = "address_fixed"

    def __init__(self, number: str, why: str) -> None:
        super().__init__(f"The address of order {number} cannot change: {why}.")


class PaymentDue(Conflict):
    """The goods may leave once they are paid."""

    code = "payment_due"

    def __init__(self, number: str, due: Money) -> None:
        super().__init__(
            f"{due.amount} {due.currency} are due for order {number}; collect them and say how they were paid."
        )
        self.due = due


class Overpaid(Conflict):
    """More was offered than is due."""

    code = "overpaid"

    def __init__(self, number: str, due: Money) -> None:
        super().__init__(f"Only {due.amount} {due.currency} are due for order {number}.")
        self.due = due


class NotReturnable(Conflict):
    """More would come back than the customer has."""

    code = "not_returnable"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(fault.message for fault in faults), faults=tuple(faults))


class TakesNoReturns(Rejected):
    """This node does not take returns."""

    code = "takes_no_returns"

    def __init__(self, node: str) -> None:
        super().__init__(f"{node} does not take returns; receive them at a node that does.")


def _counted(faults: Sequence[Fault]) -> str:
    return "a fault" if len(faults) == 1 else f"{len(faults)} faults"

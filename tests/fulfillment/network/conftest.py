"""A database with the small network of sourcing in it; what a test writes is rolled back when it ends."""

from tests.fulfillment.sourcing.conftest import database, session

__all__ = ["database", "session"]

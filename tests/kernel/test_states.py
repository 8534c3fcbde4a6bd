"""A state machine is a table; a step that is not in it is refused with what would be possible."""

import pytest

from kernel.states import IllegalTransition, advance

TABLE = {"open": {"closed", "void"}, "closed": set(), "void": set()}


def test_a_step_in_the_table_is_taken():
    assert advance(TABLE, "open", "closed", what="count 1") == "closed"


def test_a_refused_step_says_what_is_possible():
    with pytest.raises(IllegalTransition, match=r"count 1 is closed and cannot become open; .*nothing: it is final"):
        advance(TABLE, "closed", "open", what="count 1")
    with pytest.raises(IllegalTransition, match="closed, void"):
        advance(TABLE, "open", "open", what="count 1")


def test_an_unknown_state_is_impossible():
    with pytest.raises(AssertionError):
        advance(TABLE, "lost", "open", what="count 1")

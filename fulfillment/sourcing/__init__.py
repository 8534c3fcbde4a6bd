"""Deciding for one order, now: gather rows into a problem, solve it, check the plan, commit it."""

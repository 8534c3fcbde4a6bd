"""Deciding and doing: which node serves a demand, and the physical work that follows from it."""

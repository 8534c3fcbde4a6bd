"""Deciding and doing: which node serves which lines, and the physical work that follows."""

"""Deciding where demand is served from, and doing the physical work that follows."""

"""Demands, and the four steps that decide one of them as it arrives: gather, solve, check, commit."""

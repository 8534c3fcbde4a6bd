"""Counts of what is there: opened, counted by people, reviewed, posted, and proposed in the first place."""

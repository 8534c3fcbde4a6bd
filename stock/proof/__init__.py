"""The ledger proves itself, is repaired by postings that are added, and lets old months go."""

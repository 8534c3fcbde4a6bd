"""The past of the ledger: positions, the states kept of it, what was known when, and the seals over it."""

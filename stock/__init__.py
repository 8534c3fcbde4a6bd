"""The single inventory ledger: every unit in every warehouse and store, and every claim on it."""

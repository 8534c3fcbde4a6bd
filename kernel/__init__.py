"""The ground floor: database, errors, events, idempotency, ids, money, states and the vault; it knows nothing of retail."""

"""The ground floor: database, errors, events, idempotency, ids, money, states, vault; it knows nothing of retail."""

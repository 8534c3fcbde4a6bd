"""The single inventory ledger: nodes, articles, postings, claims and availability; it never knows what an order is."""

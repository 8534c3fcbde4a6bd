"""The physical work: fulfillment orders, pick lists, packing, shipments, hand-over and put-back."""

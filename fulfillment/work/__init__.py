"""Physical work: fulfillment orders and all that is done to them, from acceptance to hand-over or put-back."""

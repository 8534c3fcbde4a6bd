"""The central order service: what was sold to whom, through which channel and at which price."""

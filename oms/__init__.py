"""The central order service: what was sold to whom, in which channel, at which price; the physical side lies below."""

"""The same four steps for the night: everything not yet being worked on, decided again as one model."""

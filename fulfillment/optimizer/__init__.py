"""A pure island: a frozen problem in, a frozen plan out; it knows numpy and OR-Tools and nothing else of the house."""

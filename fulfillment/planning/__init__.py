"""The night: the same four steps for everything not yet being worked on, proposed to a planner, applied on acceptance."""

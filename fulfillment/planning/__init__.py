"""The night: the same four steps for everything not yet worked on, proposed to a planner, applied on acceptance."""

"""The network as sourcing sees it: node profiles, calendars, carriers, tariffs, geography, and cost terms."""

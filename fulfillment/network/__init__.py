"""What the network can do: node profiles, calendars, capacity, carriers, tariffs, transit and geography."""

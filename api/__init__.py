"""The doors: REST, pages, command line and jobs; the only place that reads clock and configuration, and commits."""

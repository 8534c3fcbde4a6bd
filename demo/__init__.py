"""The demo network and its story, told through the REST API like any client."""

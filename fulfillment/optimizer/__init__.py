"""The pure island: a frozen Problem in, a frozen Plan out, with numpy and ortools only."""

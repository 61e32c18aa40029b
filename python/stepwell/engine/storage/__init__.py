"""Storage: its rows, typed access to them, and task tokens."""

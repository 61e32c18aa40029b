"""Storage: its rows, typed access to them, and the tokens that are found in it."""

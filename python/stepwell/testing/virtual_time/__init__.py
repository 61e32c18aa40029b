"""The engine on a virtual clock: one thing happens at a time, and only when a test lets it."""

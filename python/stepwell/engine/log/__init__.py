"""The log: commands, events, and how turns are encoded."""

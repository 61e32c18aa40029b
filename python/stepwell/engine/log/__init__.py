"""The log: commands and events, and turns as bytes."""

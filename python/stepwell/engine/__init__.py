"""The engine: the walk of commands and events from inbox to storage."""

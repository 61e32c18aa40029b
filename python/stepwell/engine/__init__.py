"""The engine: processes commands and events, from the inbox to storage."""

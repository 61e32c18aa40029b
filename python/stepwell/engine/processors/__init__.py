"""Processors: a command becomes an event and further commands.

They read the live execution and return records. They change nothing: appliers do.
"""

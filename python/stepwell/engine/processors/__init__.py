"""Processors: they accept a command, and return the commands that follow.

They read the live execution and change nothing; appliers do that.
"""

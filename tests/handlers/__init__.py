"""Handlers: how they hear of tasks that end, what bounds their calls, and what becomes of their failures."""

"""Stepwell: durable workflows in the Amazon States Language, inside your program."""

from stepwell.errors import *  # noqa: F403

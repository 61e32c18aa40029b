"""Folders: their paths, their partitions, and which store they follow."""

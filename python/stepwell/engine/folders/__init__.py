"""Folders: their paths, how many partitions they have, and whom they follow."""

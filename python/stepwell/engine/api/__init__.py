"""The API: what a program holds. ``stepwell/__init__.py`` names what of it is public."""

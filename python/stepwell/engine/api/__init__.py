"""The API: the objects that a program holds. ``stepwell/__init__.py`` says which of them are public."""

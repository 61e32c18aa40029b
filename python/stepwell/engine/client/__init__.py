"""The client: turns a program's calls into commands and queries, and checks their arguments."""

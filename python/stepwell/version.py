"""The version of Stepwell, which processes that speak with one another compare."""

VERSION = "0.1.0"

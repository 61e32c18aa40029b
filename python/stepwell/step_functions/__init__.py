"""AWS Step Functions' API over an engine: requests, operations and errors, without HTTP (``stepwell.server`` has that).

``model.py`` is made from botocore's model, ``operations/`` has a function for each operation, and ``api.py`` calls
them by name.
"""

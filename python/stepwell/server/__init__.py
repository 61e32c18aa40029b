"""The HTTP server: AWS Step Functions' API over an engine (``stepwell serve``)."""

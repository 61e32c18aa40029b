"""The console: pages for browsers, which ``stepwell serve`` serves at ``/console/``. ``static`` has their files."""

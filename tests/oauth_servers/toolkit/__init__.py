"""django-oauth-toolkit as a site of its own. Only the process that serves it imports Django."""

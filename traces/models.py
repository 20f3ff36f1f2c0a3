"""`traces` has no models: it is read and written by SQL. Django sends post_migrate only to apps with this module."""

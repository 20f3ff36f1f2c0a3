class Refused(Exception):
    """The product cannot start; the text says in one line why, and what to do."""

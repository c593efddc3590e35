"""What may go wrong in ordinary life. A command says it in one line; any other exception is a bug and shows where."""


class Failure(Exception):
    """The head of their family; each wing has its own."""

"""Why a message could not be delivered."""


class DeliveryFault(Exception):
    """The text says in a sentence what went wrong. It has no secret of the channel."""

    def __init__(self, words: str, status: int | None = None, is_final: bool = False, is_slow: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        """That of the answer over HTTP; None where there was none."""
        self.is_final = is_final
        """Another attempt would fail too."""
        self.is_slow = is_slow
        """There was no answer in time."""

"""What was configured and cannot be used."""


class Unusable(Exception):
    """A sentence for each error, naming the setting. None shows a token, nor what might be one."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors

"""What others sent, made fit for a terminal."""


def plain(text: str) -> str:
    """``text`` with everything that is not printable as its escape: no sender may write to an operator's terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def plain_lines(text: str) -> str:
    """The same, line breaks left as they are."""
    return "\n".join(plain(line) for line in text.split("\n"))

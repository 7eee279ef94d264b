"""What others wrote, made fit for a terminal."""

from typing import Final

MOST_CHARACTERS: Final = 200


def plain(text: str) -> str:
    """One line of at most 200 printable characters: a service must not be able to write escapes to a terminal."""
    if len(text) <= MOST_CHARACTERS and text.isprintable():
        return text
    # Looked at in part: an answer may be long. Twice as much leaves room for white space that goes.
    start = " ".join(text[: 2 * MOST_CHARACTERS].split())
    printable = "".join(character if character.isprintable() else "�" for character in start)
    cut = len(printable) > MOST_CHARACTERS or len(text) > 2 * MOST_CHARACTERS
    return f"{printable[: MOST_CHARACTERS - 1]}…" if cut else printable

"""Where tokens come from: a variable, which is read once, and a file, which may change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.access.exposed import exposed
from ingest.access.tokens import Token, parse_tokens, repeated
from ingest.access.unusable import Unusable


@dataclass(frozen=True, slots=True)
class TokenSources:
    """The settings ``tokens`` and ``tokens_file``; either may be missing."""

    text: str = field(repr=False)
    file: Path | None

    def read(self) -> list[Token]:
        """All tokens; none where there is no source. Raises Unusable, whose sentences name the setting."""
        errors: list[str] = []
        tokens = _read("tokens", lambda: self.text, errors) if self.text.strip() else []
        file = self.file
        if file is not None:
            tokens += _read(f"tokens_file: {file}", lambda: file.read_text("utf-8").removeprefix("\ufeff"), errors)
        errors = errors or [f"tokens: {error}" for error in repeated(tokens)]
        if errors:
            raise Unusable(errors)
        return tokens

    def warnings(self) -> list[str]:
        """What is wrong though it works."""
        return exposed("tokens_file", self.file) if self.file else []


def _read(source: str, text: Callable[[], str], errors: list[str]) -> list[Token]:
    try:
        return parse_tokens(text())
    except Unusable as bad:
        errors += [f"{source}: {error}" for error in bad.errors]
    except OSError as error:
        errors.append(f"{source} cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        errors.append(f"{source} is not text")
    return []

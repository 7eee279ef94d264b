"""Finding what looks like a secret in a file's text."""

import re
from collections.abc import Iterator

_VALUE = r"""["']?(?P<value>[^\s"',}\]]+)"""
_SUSPECTS = (
    # The value of a name that says secret.
    re.compile(rf"""(?i)(?<!\$)(?:password|passwd|token|secret|api_?key)(?!s)\w*["']?[ \t]*[:=][ \t]*{_VALUE}"""),
    # A header's value.
    re.compile(rf"""[:=][ \t]*["']?(?:Token|Bearer|Basic) {_VALUE}"""),
    # Long and without a blank: what no word is.
    re.compile(r"\b(?P<value>[0-9a-f]{24,})\b|(?P<base64>[A-Za-z0-9_+/-]{64,}={0,2})"),
)
# Not the secret, but where it is: a path, a variable, a command, a reference.
_REFERENCE = re.compile(
    r"/run/secrets/|\$__file\{|\$[{(]?\w|@\{|(?:null|true|false|[\d.]+)$|[\[{<>|&*]|(?:Token|Bearer|Basic)$"
)


def secrets_in(text: str) -> Iterator[str]:
    """Each piece that should not stand in a file that others see."""
    for suspect in _SUSPECTS:
        for match in suspect.finditer(text):
            if not _REFERENCE.match(match["value"] or match[0]):
                yield match[0]

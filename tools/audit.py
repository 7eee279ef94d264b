"""``make audit``: the locked packages against the known vulnerabilities of osv.dev."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from uv import find_uv_bin

# It holds what the other lock file holds, and what developers need beside that.
LOCK = Path(__file__).parents[1] / "requirements-dev.lock"
_PIN = re.compile(r"^(?P<pin>[A-Za-z0-9][^\s;\\]*==[^\s;\\]+)(?: ; (?P<where>[^\\\n]+?))? *\\?$", re.MULTILINE)
_FOUND = 1
_FAILED = 2


def main(arguments: Sequence[str] = ()) -> int:
    """0 if no vulnerability is known, 1 if one is, 2 if nobody could be asked; ``arguments`` are for ``uv audit``."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "locked.py"
        script.write_text(_script(list(_pins(LOCK.read_text()))))
        command = [find_uv_bin(), "audit", "--preview-features", "audit-command", "--script", str(script)]
        ended = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if ended.returncode in (0, _FOUND):
        print(ended.stdout + ended.stderr, end="")
        return ended.returncode
    causes = re.findall(r"^(?:error| *cause): (.*)", ended.stderr, re.MULTILINE) or [ended.stderr.strip()]
    print(f"make audit: nothing was audited: {': '.join(dict.fromkeys((*causes[1:2], causes[-1])))}", file=sys.stderr)
    return _FAILED


def _pins(lock: str) -> Iterator[str]:
    for match in _PIN.finditer(lock):
        yield f"{match['pin']} ; {match['where']}" if match["where"] else match["pin"]


def _script(pins: Sequence[str]) -> str:
    """A script that needs just these: of a project, uv would resolve newer ones than are locked."""
    lines = "".join(f"#   {json.dumps(pin)},\n" for pin in pins)
    return f'# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n{lines}# ]\n# ///\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

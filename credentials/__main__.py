"""`python -m credentials`: the command line."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from credentials.declared import CREDENTIALS
from credentials.make import make
from credentials.options import Options, parse
from influx.errors import Refused
from influx.tokens import read_secret


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 could not; a usage error leaves by SystemExit(2)."""
    options = parse(arguments)
    try:
        for line in run(options):
            print(line)
    except Refused as error:
        return complain(str(error))
    except OSError as error:
        return complain(f"can't write secrets to {options.folder} ({error.strerror})")
    return 0


def run(options: Options) -> Iterator[str]:
    if options.command == "show":
        yield from shown(options.folder)
        return
    options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = list(make(options.folder, options.groups))
    yield f"made {', '.join(made)}" if made else "all secrets are there"


def shown(folder: Path) -> Iterator[str]:
    widest = max(len(credential.what) for credential in CREDENTIALS)
    for credential in CREDENTIALS:
        text = read_secret(folder / credential.file)
        if text is None:
            raise Refused(f"there is no {folder / credential.file}: say make, or docker compose up, first")
        yield f"{credential.what:<{widest}}  {text}"


def complain(sentence: str) -> int:
    print(f"credentials: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tools.dashboards``: bring an exported dashboard into the repository, or check those that are there."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.dashboards.checks import problems
from tools.dashboards.files import DASHBOARDS, Dashboard, dashboard, dashboards, databases
from tools.dashboards.normal import text

_EXAMPLES = """examples:
  python -m tools.dashboards ~/Downloads/Events-1732420800.json   write grafana/dashboards/events.json
  python -m tools.dashboards grafana/dashboards/*.json            bring edited files into normal form
  python -m tools.dashboards                                      check what is there, change nothing
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 a dashboard was refused, 2 the command line or a file cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        given = [dashboard(path) for path in options.files] or dashboards(options.folder)
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot read a dashboard: {error}", file=sys.stderr)
        return 2
    uids = {each.uid for each in [*given, *dashboards(options.folder), *dashboards()]}
    refused = False
    for each in given:
        found = problems(each, databases(), uids)
        if not options.files and text(each.raw) != each.path.read_text():
            found.append(f"not in normal form: python -m tools.dashboards {each.path}")
        refused |= bool(found)
        for problem in found:
            print(f"{each.path}: {problem}", file=sys.stderr)
        if options.files and not found:
            _write(each, options.folder)
    return int(refused)


def _write(given: Dashboard, folder: Path) -> None:
    path = folder / f"{given.uid.removeprefix('pulso-')}.json"
    path.write_text(text(given.raw))
    print(f"wrote {path}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.dashboards",
        description="Bring dashboards that were exported from Grafana into normal form, and refuse what tests refuse.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="exported or edited dashboards (JSON)")
    parser.add_argument("--folder", type=Path, default=DASHBOARDS, help="where they are kept (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

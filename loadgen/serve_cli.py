"""``loadgen serve``: from its options to its exit code."""

from argparse import Namespace

from loadgen.commands import OK, fail
from loadgen.server import serve


def serve_command(options: Namespace) -> int:
    def announce(_aiohttps_own: str) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"try http://{host}:{options.port}/generate/100 (events go to {options.target})", flush=True)

    try:
        serve(options.target, options.profile, options.host, options.port, announce)
    except OSError as error:
        return fail("serve", f"can't listen on {options.host}:{options.port}: {error.strerror}. Try another --port")
    return OK

"""``loadgen serve``: from its options to its exit code."""

import socket
from argparse import Namespace

from loadgen.access import BadAccessError, access_of
from loadgen.commands import OK, fail
from loadgen.faults import fault_text
from loadgen.server import serve


def serve_command(options: Namespace) -> int:
    def announce(_aiohttps_own: str) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"try http://{host}:{options.port}/generate/100 (events go to {options.target})", flush=True)

    try:
        serve(options.target, options.profile, options.host, options.port, announce, access=access_of(options))
    except BadAccessError as error:
        return fail("serve", str(error))
    except socket.gaierror as error:
        return fail("serve", f"can't listen on {options.host}: {fault_text(error)}. Try another --host")
    except OSError as error:
        return fail("serve", f"can't listen on {options.host}:{options.port}: {fault_text(error)}. Try another --port")
    return OK

"""What went wrong with a socket, in words."""

import os
import ssl


def fault_text(error: Exception) -> str:
    """The same few words for the same fault, whatever the platform and the address; asyncio puts both into strerror."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message.lower()}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (getattr(error, "strerror", None) or str(error)).lower()

"""Whether an address to listen on is one, and is reached from this machine alone."""

import socket
from ipaddress import IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """Of a name: whether all addresses that it has now are. The empty host is all of the machine's."""
    addresses = _addresses(host)
    return bool(addresses) and all(map(_is_loopback_address, addresses))


def resolves(host: str) -> bool:
    """Whether it is an address or has one now; the empty host is one."""
    return not host or bool(_addresses(host))


def _addresses(host: str) -> set[str]:
    if not host:
        return set()
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


def _is_loopback_address(text: str) -> bool:
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback

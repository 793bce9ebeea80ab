"""Where the server listens: the first free port of an address, and the link that opens it."""

import errno
import ipaddress
import socket

PORT = 8321
PORTS_TRIED = 10
LAST_PORT = 65_535


class PortError(ValueError):
    """No address to listen on."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens at the first free port from `port` on.

    Raises:
        PortError: if the host is not this machine, or ten ports in a row are taken.
    """
    if not 0 <= port <= LAST_PORT - PORTS_TRIED:
        raise PortError(f"a port is a number from 0 to {LAST_PORT - PORTS_TRIED}, got {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + PORTS_TRIED):
        try:
            return socket.create_server((host, candidate), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                told = f"cannot listen at {host!r}, port {candidate}: {error}"
                raise PortError(told) from error
    last = port + PORTS_TRIED - 1
    raise PortError(f"ports {port} to {last} of {host} are taken: name a free one with --port")


def is_local(address: str) -> bool:
    """Whether an IP address reaches this machine alone."""
    return ipaddress.ip_address(address).is_loopback


def address_of(listener: socket.socket) -> str:
    """The link under which a browser on this machine opens the page."""
    host, port = listener.getsockname()[:2]
    name = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else str(host)
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"

"""What every request must be before the server looks at it, and the headers on every answer.

The page may load nothing from anywhere else, nobody else's page may read from it, and a name that
somebody else's DNS points at this machine is not answered.
"""

import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
METHODS = ("GET", "HEAD")
METHOD_NOT_ALLOWED, MISDIRECTED = 405, 421


class RequestGuard:
    """An application that is only ever read, under this machine's own name.

    Args:
        app: who answers.
        is_local: whether the server is bound to loopback; only then must the name be a loopback
            one. A page anywhere can let its own name point at 127.0.0.1 (DNS rebinding), and the
            browser would then take that page and this server for one site.
    """

    def __init__(self, app: "ASGIApp", *, is_local: bool) -> None:
        self.app = app
        self.is_local = is_local

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def send_shielded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send_shielded)

    def _refusal(self, scope: "Scope") -> JSONResponse | None:
        names = Headers(scope=scope).getlist("host")
        if self.is_local and not (len(names) == 1 and is_loopback_name(names[0])):
            told = "this server answers at 127.0.0.1 and localhost only; open it under that name"
            return JSONResponse({"error": told}, MISDIRECTED)
        if scope["method"] not in METHODS:
            told = "this server can only be read: use GET or HEAD"
            allowed = {"Allow": ", ".join(METHODS)}
            return JSONResponse({"error": told}, METHOD_NOT_ALLOWED, headers=allowed)
        return None


def is_loopback_name(host: str) -> bool:
    """Whether a Host header, with or without a port, names this machine's loopback."""
    name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"

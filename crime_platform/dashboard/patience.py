"""A connection that asks for nothing is closed: it would hold its place for ever otherwise."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0  # for all of a request to arrive; it is a line and a few headers
_STILL_ASKING = (h11.IDLE, h11.SEND_BODY)


class PatientProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, on connections that have `request_seconds` for each request.

    uvicorn itself times out what is idle after an answer, but neither a connection that never asks
    nor one that never ends its question. Bytes that trickle in give no more time.
    """

    request_seconds = REQUEST_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # uvloop has transports of its own
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state not in _STILL_ASKING:
            self._stop()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self._end)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        if not self.transport.is_closing() and self.conn.their_state in _STILL_ASKING:
            self.transport.close()

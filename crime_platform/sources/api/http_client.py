"""A web client that waits: a steady rate, patience with a busy server, and whole answers only.

It knows nothing of the services it asks. No token stands in an address, a message or an answer.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
    TimeoutError,
)

from crime_platform.sources.files.archives import ALWAYS_ALLOWED_BYTES, CHUNK_BYTES
from crime_platform.study_area.source_api import LOOPBACK
from crime_platform.system.escape import printable
from crime_platform.vocabulary.incident import SourceFormatError

OK, BAD_REQUEST = 200, 400
BUSY = (429, 500, 502, 503, 504)
MAX_ANSWER_BYTES = ALWAYS_ALLOWED_BYTES  # an answer is held in memory as a whole
CONNECT_TIMEOUT_S = 20.0
CONNECT_RETRIES = 3  # without a network, a person should not wait minutes to be told
KEPT = "What was fetched so far is kept, and so is what was ingested before; run again to go on."


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long a request is tried again."""

    attempts: int = 7
    backoff_s: float = 2.0  # waits 0, 4, 8, 16, 32, 64 seconds unless the server names a time
    longest_wait_s: int = 900  # also where the server names a longer time
    timeout_s: float = 180.0  # without a byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said: 200, or 400 where it could not make sense of the question."""

    status: int
    body: bytes  # as received, unpacked
    values: object  # the JSON in it, every number as the text that was received


def no_trouble(values: object) -> str:  # noqa: ARG001  what it would look at
    """For services that report every trouble by an HTTP status."""
    return ""


class RateLimitedClient:
    """Asks one host, one request at a time."""

    def __init__(
        self,
        host_url: str,
        *,
        requests_per_second: float,
        token_header: Mapping[str, str] | None = None,
        retries: RetryPolicy | None = None,
        trouble: Callable[[object], str] = no_trouble,
    ) -> None:
        """Make a client.

        Args:
            host_url: any address on the host.
            requests_per_second: at most.
            token_header: sent with every request and shown nowhere.
            retries: how often a request is tried again.
            trouble: what an answer of HTTP 200 says of passing trouble; blank where there is none.
        """
        retries = retries or RetryPolicy()
        self._trouble = trouble
        self._pause_s = 1 / requests_per_second
        self._next_turn = 0.0
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "crime-platform (recorded incidents, monthly)",
            **urllib3.make_headers(accept_encoding=True),
            **(token_header or {}),
        }
        self._retry = urllib3.Retry(
            total=retries.attempts - 1,
            connect=min(retries.attempts - 1, CONNECT_RETRIES),
            backoff_factor=retries.backoff_s,
            backoff_max=retries.longest_wait_s,
            retry_after_max=retries.longest_wait_s,
            status_forcelist=BUSY,
            raise_on_status=False,  # the last answer says more than that there were too many
        )
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=retries.timeout_s)
        parts = urlsplit(host_url)
        proxy = getproxies().get(parts.scheme)
        if proxy and parts.hostname not in LOOPBACK and not proxy_bypass(parts.hostname or ""):
            self._pool: urllib3.PoolManager = urllib3.ProxyManager(proxy, timeout=timeout)
        else:
            self._pool = urllib3.PoolManager(timeout=timeout)

    def ask(self, url: str, fields: Mapping[str, str]) -> Answer:
        """The whole answer to one question, however often it has to be put.

        A body that was cut off is asked for again like an answer that never came: urllib3 does so
        where the length is known, and we do where only the JSON shows it.

        Raises:
            SourceFormatError: if the server cannot be reached or refuses; the message has the cure.
        """
        retries = self._retry
        while True:
            self._wait_for_turn()
            try:
                # A redirect is not followed: the token must not go where the TOML does not say.
                response = self._pool.request(
                    "GET",
                    url,
                    fields=dict(fields),
                    headers=self._headers,
                    retries=retries,
                    redirect=False,
                    preload_content=False,
                )
                body = _body(url, response)
                if response.status not in (OK, BAD_REQUEST):
                    raise SourceFormatError(_refusal(url, response))
                values = _values(response.status, body)
                if told := self._trouble(values):
                    raise ValueError(told)
            except (DecodeError, ProtocolError, ReadTimeoutError, ValueError) as error:
                if isinstance(error, SourceFormatError):
                    raise
                retries = self._once_more(url, retries, error)
            except HTTPError as error:
                raise SourceFormatError(_unreachable(url, error)) from error
            else:
                return Answer(status=response.status, body=body, values=values)

    def _once_more(self, url: str, retries: urllib3.Retry, error: Exception) -> urllib3.Retry:
        try:
            fewer = retries.increment("GET", url, error=ProtocolError(str(error)))
        except MaxRetryError:
            raise SourceFormatError(
                f"{url}: no whole answer after every attempt ({error}). Try again later, and check "
                f"that url under [source.api] is the API's and no web page. {KEPT}"
            ) from error
        fewer.sleep()
        return fewer

    def _wait_for_turn(self) -> None:
        moment = time.monotonic()
        time.sleep(max(0.0, self._next_turn - moment))
        self._next_turn = max(moment, self._next_turn) + self._pause_s


def read_json(body: bytes) -> object:
    """The JSON in a body; numbers stay the text they are, so that equal values write equal bytes.

    Raises:
        ValueError: if it is not JSON throughout.
    """
    try:
        return json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _body(url: str, response: urllib3.BaseHTTPResponse) -> bytes:
    """What was received, unpacked piece by piece: how large it becomes is not known before.

    Raises:
        SourceFormatError: if it becomes larger than an answer may be.
    """
    pieces, n_bytes = [], 0
    try:
        for piece in response.stream(CHUNK_BYTES, decode_content=True):
            n_bytes += len(piece)
            if n_bytes > MAX_ANSWER_BYTES:
                n_packed = response.tell()
                response.close()
                raise SourceFormatError(
                    f"{url}: one answer unpacks to more than {MAX_ANSWER_BYTES:,} bytes, from the "
                    f"first {n_packed:,} received; ask for fewer rows at once with page_rows under "
                    f"[source.api], and check that url is the API's. {KEPT}"
                )
            pieces.append(piece)
    finally:
        response.release_conn()
    return b"".join(pieces)


def _values(status: int, body: bytes) -> object:
    if status == BAD_REQUEST and not body.lstrip().startswith((b"{", b"[")):
        return {}  # a plain refusal; asking again would not make it JSON
    return read_json(body)


def _refusal(url: str, response: urllib3.BaseHTTPResponse) -> str:
    status = response.status
    token = "name an environment variable with an app token in token_variable under [source.api]"
    if status in (301, 302, 303, 307, 308):
        target = printable(response.headers.get("Location", "an address it does not name"))
        told = f"the dataset has moved to {target}; correct url under [source.api]"
    elif status in (401, 403):
        told = f"the server refuses to answer; {token}, or check that the token in it is valid"
    elif status in (404, 410):
        told = "there is no such dataset; correct url under [source.api]"
    elif status == 429:
        told = f"the server asks for fewer requests; {token}, or lower requests_per_second"
    elif status >= 500:
        told = "the publisher's server is in trouble; try again later"
    else:
        told = "the server does not take the question; compare url with the API's documentation"
    return f"{url}: HTTP {status}: {told}. {KEPT}"


def _unreachable(url: str, error: HTTPError) -> str:
    reason = error.reason if isinstance(error, MaxRetryError) else error
    if isinstance(reason, NameResolutionError):
        told = "the host is not known; check the network, and the host in url under [source.api]"
    elif isinstance(reason, SSLError):
        told = f"its certificate cannot be trusted ({reason}); check the clock and the network"
    elif isinstance(reason, NewConnectionError):
        told = "the server cannot be reached; check the network"
    elif isinstance(reason, TimeoutError):
        told = "the server took too long; ask for fewer rows at once with page_rows"
    else:
        told = f"the connection was cut every time ({reason}); try again later"
    return f"{url}: {told}. {KEPT}"

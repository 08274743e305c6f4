"""The gateways' calls over ASGI: the same application as over WSGI, but a long poll holds no thread.

A request runs in one of a few threads. Where the feed has nothing new, the view says for how long the gateway would
wait (`LongPoll`); the thread goes back, and the view is asked again when there is news or the time is over.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

from sqlalchemy.exc import SQLAlchemyError

from portal.gateway_api.followers import Followers, TooManyFollowers
from portal.gateway_api.nftables import LARGEST_BODY, LONG_POLL, ClosedQuestion, LongPoll
from portal.gateway_api.radius_queue import RadiusQueue, call_of
from portal.http.proxy_headers import Wsgi

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Worked = TypeVar("Worked")

THREADS = 8
# How many of these one credential may hold at once, and how many of its calls may stand in the queue: packets of RADIUS
# are answered together, and the more there are, the less each costs.
THREADS_OF_ONE, QUEUE_OF_ONE = 2, 64
# Without one come guests' browsers, on their way to the first page by a gateway of another make: all of them together.
THREADS_OF_BROWSERS, QUEUE_OF_BROWSERS = 4, 256
RETRY_AFTER_SECONDS = 5


class BusyCaller(Exception):
    """This credential has more calls in the queue than an agent makes."""


class ClosedLine(Exception):
    """The caller has gone away."""


class LargeBody(Exception):
    """More than any call of the protocol sends."""


@dataclass(frozen=True, slots=True)
class AppResponse:
    """What the application answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(slots=True)
class _Caller:
    """What one credential has under way."""

    threads: asyncio.Semaphore
    calls: int = 0


class GatewayDoor:
    """ASGI application in front of `wsgi`, which must know the long poll of `portal.gateway_api.nftables`."""

    def __init__(self, wsgi: Wsgi, followers: Followers, radius: RadiusQueue) -> None:
        self._wsgi = wsgi
        self._followers = followers
        self._radius = radius
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gateways")
        self._callers: dict[str, _Caller] = defaultdict(lambda: _Caller(asyncio.Semaphore(THREADS_OF_ONE)))
        self._browsers = _Caller(asyncio.Semaphore(THREADS_OF_BROWSERS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            try:
                answer = await self._answer(scope, receive)
            except ClosedLine:
                return
            except (BusyCaller, TooManyFollowers):
                answer = _refusal(429)
            except LargeBody:
                answer = _refusal(413)
            await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> AppResponse:
        """Raises `ClosedLine`, `LargeBody`, `BusyCaller` or `TooManyFollowers`."""
        body = await _read(receive)
        if (call := call_of(scope, body)) is not None:
            with self._calling(call.authorization):
                answered = await self._radius.answer(call)
            if answered is not None:
                return _accepted(answered)
        environ = make_environ(scope)
        deadline: float | None = None
        gone = asyncio.ensure_future(_gone(receive))
        try:
            while True:
                seen, poll = self._followers.seen, LongPoll(is_again=deadline is not None)
                answer = await self._call({**environ, LONG_POLL: poll}, body)
                deadline = deadline or time.monotonic() + poll.seconds
                left = deadline - time.monotonic()
                if poll.gateway_id is None or left <= 0:
                    return answer
                if (told := await self._await_news(environ, poll, seen, deadline, gone)) is not None:
                    return _accepted(told)
        finally:
            gone.cancel()

    async def _await_news(
        self, environ: dict[str, Any], poll: LongPoll, seen: int, deadline: float, gone: asyncio.Future[None]
    ) -> bytes | None:
        """The answer, once there is news or the time is over; nothing where the view has to be asked again.

        A new lease is told to its gateway by such a second look: Flask would take half of it.
        """
        assert poll.gateway_id is not None and poll.question is not None
        while True:
            left = deadline - time.monotonic()
            news = self._followers.news(poll.gateway_id, since=poll.since, seen=seen, seconds=left)
            await _first(asyncio.ensure_future(news), gone)
            seen, is_last = self._followers.seen, time.monotonic() >= deadline
            look = partial(poll.question.again, is_last=is_last)
            try:
                told = await self._run(environ, look)
            except (ClosedQuestion, SQLAlchemyError):
                # The view says so, as it does to all.
                return None
            if told is not None:
                return told

    async def _call(self, environ: dict[str, Any], body: bytes) -> AppResponse:
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return await self._run(environ, partial(_ask, self._wsgi, environ))

    async def _run(self, environ: dict[str, Any], work: Callable[[], Worked]) -> Worked:
        """Do this in one of the threads that whoever has called may hold."""
        with self._calling(environ.get("HTTP_AUTHORIZATION", "")) as caller:
            async with caller.threads:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @contextmanager
    def _calling(self, name: str) -> Iterator[_Caller]:
        caller, most = (self._callers[name], QUEUE_OF_ONE) if name else (self._browsers, QUEUE_OF_BROWSERS)
        if caller.calls >= most:
            raise BusyCaller
        caller.calls += 1
        try:
            yield caller
        finally:
            caller.calls -= 1
            if not caller.calls:
                self._callers.pop(name, None)


async def _first(news: asyncio.Future[None], gone: asyncio.Future[None]) -> None:
    """Until there may be news. Raises `ClosedLine`, or what `news` raises."""
    try:
        await asyncio.wait({news, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()
    if gone.done():
        raise ClosedLine
    news.result()


def make_environ(scope: Scope) -> dict[str, Any]:
    """The WSGI environment of an ASGI request, but for its body (PEP 3333; ASGI 3.0, HTTP connection scope)."""
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(scope["path"], "latin-1")
        if "raw_path" not in scope
        else unquote(scope["raw_path"].partition(b"?")[0].decode("latin-1"), "latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def _ask(wsgi: Wsgi, environ: dict[str, Any]) -> AppResponse:
    """Run the application to its end."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return written.append

    written: list[bytes] = []
    parts = wsgi(environ, start)
    try:
        written.extend(parts)
    finally:
        if (close := getattr(parts, "close", None)) is not None:
            close()
    status, headers = started[-1]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return AppResponse(int(status.split()[0]), encoded, b"".join(written))


def _accepted(body: bytes) -> AppResponse:
    headers = [(b"cache-control", b"no-store"), (b"content-length", str(len(body)).encode())]
    if not body:
        return AppResponse(204, headers[:1], body)
    return AppResponse(200, [*headers, (b"content-type", b"application/json")], body)


def _refusal(status: int) -> AppResponse:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 429:
        headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    return AppResponse(
        status, headers, b'{"error":"too large"}' if status == 413 else b'{"error":"too many calls"}'
    )


async def _read(receive: Receive) -> bytes:
    """The whole body. Raises `ClosedLine` or `LargeBody`."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClosedLine
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise LargeBody
        more = message.get("more_body", False)
    return b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: AppResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

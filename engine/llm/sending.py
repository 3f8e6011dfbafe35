"""litellm's HTTP client, made to send one request per call, and calls prepared a few at a time.

asyncio takes every ready task one step further before it takes any of them two: of 32 calls it prepares all before it
sends the first, then waits for 32 answers that come together, and so on in step, idle for part of every round. Prepared
a few at a time, some requests are on their way while others are prepared and answers are read.
"""

from __future__ import annotations

import asyncio
import functools
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

PREPARED_AT_A_TIME = 8


class Place:
    """A place among those that prepare a request: waited for on entering, free again once the request is sent."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._is_taken = False

    async def __aenter__(self) -> Self:
        await self._places.acquire()
        self._is_taken = True
        _PLACE.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        if self._is_taken:
            self._is_taken = False
            self._places.release()


_PLACE: ContextVar[Place] = ContextVar("place")


def http_client(timeout_s: float) -> Any:
    """A new HTTP client for litellm's `client=`; its `places` are those of its event loop."""
    return _client_class()(timeout=timeout_s)


@functools.cache
def _client_class() -> type[Any]:
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    class OneRequestClient(AsyncHTTPHandler):  # type: ignore[misc]
        """litellm's client, but for the second request that it sends by itself when a connection breaks."""

        def __init__(self, timeout: float) -> None:
            super().__init__(timeout=timeout)
            self.places = asyncio.Semaphore(PREPARED_AT_A_TIME)

        async def post(self, *args: Any, **kwargs: Any) -> Any:
            _PLACE.get().leave()  # nothing else runs before the request is on the wire
            return await super().post(*args, **kwargs)

        async def single_connection_post_request(self, *args: object, **kwargs: object) -> Any:
            raise  # noqa: PLE0704  # called while the broken connection is being handled

    return OneRequestClient

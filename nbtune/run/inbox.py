"""What other threads have for the thread that owns a search: news of the workers, and what users ask for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

Work = Callable[[], None]


class Request(NamedTuple):
    """Something to be done by the owner; `reply` is settled when it is done, or with why it cannot be."""

    work: Work
    reply: Future[None]


class Inbox:
    """Two queues with one end. News come first: a result that is here already counts, even where a stop was asked for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._news: deque[Work] = deque()
        self._requests: deque[Request] = deque()

    def tell(self, news: Work) -> None:
        with self._changed:
            self._news.append(news)
            self._changed.notify()

    def ask(self, work: Work) -> Future[None]:
        reply: Future[None] = Future()
        with self._changed:
            self._requests.append(Request(work, reply))
            self._changed.notify()
        return reply

    def news(self) -> Work | None:
        """The next news, if there are any now."""
        with self._changed:
            return self._news.popleft() if self._news else None

    def request(self) -> Request | None:
        """The next request, if there is one now."""
        with self._changed:
            return self._requests.popleft() if self._requests else None

    def wait(self) -> None:
        """Returns when there is something."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._requests)

    @property
    def empty(self) -> bool:
        with self._changed:
            return not (self._news or self._requests)

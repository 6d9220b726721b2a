"""Keeps answers of the DNS by asking again and again, in a thread of its own: no pass ever waits for the DNS.

An answer is news when it says something else than the one before; then the desired state is made again. A fresher
answer that says the same only gets its new date.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from reconciler.desired.evidence import Answer, Question
from reconciler.desired.objects import Desired
from reconciler.manifests.identity import ResourceKey
from reconciler.observed.snapshot import Snapshot
from reconciler.ports import Clock, NameServers
from reconciler.runtime.world import Board, World

log = structlog.get_logger(__name__)

EVERY, AGAIN = 300.0, 60.0
"""Seconds between two questions, and when the last answer was none."""

_WIDTH = 8


def questions_of(desired: Desired) -> frozenset[Question]:
    """What has to be asked for the routes that are wanted."""
    owned = (route.binding.ownership.question for route in desired.routes if route.binding is not None)
    return frozenset(question for question in owned if question is not None)


def seen_routes(snapshot: Snapshot) -> frozenset[tuple[str, ResourceKey]]:
    """The routes (id, resource) of ours that are there: they need no proof any more."""
    return frozenset(
        (route.id, route.resource)
        for target in snapshot.values()
        for route in target.routes.values()
        if route.ours and not route.shape.listen
    )


class Lookups:
    """``changed`` is called, from the thread, when an answer is news."""

    def __init__(self, servers: NameServers, board: Board, clock: Clock, changed: Callable[[], None]) -> None:
        self._servers, self._board, self._clock, self._changed = servers, board, clock, changed
        self._answers: Mapping[Question, Answer] = {}
        self._wanted: frozenset[Question] = frozenset()
        self._woken = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name="lookups", daemon=True)

    def answers(self) -> Mapping[Question, Answer]:
        """What is known now."""
        return self._answers

    def want(self, questions: Iterable[Question]) -> None:
        """Replaces what is asked; new questions are asked at once."""
        before, self._wanted = self._wanted, frozenset(questions)
        if self._wanted - before:
            self._woken.set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._woken.set()
        self._thread.join(timeout=5.0)

    def look(self) -> bool:
        """Asks what is due, and says whether there is news."""
        due = sorted(question for question in self._wanted if self._is_due(question))
        if not due:
            return False
        with ThreadPoolExecutor(max_workers=min(_WIDTH, len(due)), thread_name_prefix="lookup") as pool:
            fresh = dict(zip(due, pool.map(self._servers.ask, due), strict=True))
        known = {question: answer for question, answer in self._answers.items() if question in self._wanted}
        news = {question: answer for question, answer in fresh.items() if known.get(question) != answer}
        self._answers = {**known, **fresh}
        for question, answer in news.items():
            log.info("answer changed", name=question.name, kind=question.kind, state=answer.state, detail=answer.detail)
        self._board.change(self._dated, quiet=True)
        return bool(news)

    def _dated(self, world: World) -> World:
        """The same answers with their newest dates."""
        answers = {q: self._answers.get(q, a) for q, a in world.desired.answers.items() if self._answers.get(q, a) == a}
        return replace(world, desired=replace(world.desired, answers={**world.desired.answers, **answers}))

    def _is_due(self, question: Question) -> bool:
        known = self._answers.get(question)
        if known is None:
            return True
        return self._clock.now() - known.asked_at >= (AGAIN if known.state != "found" else EVERY)

    def _loop(self) -> None:
        while not self._stopped:
            self._woken.clear()
            try:
                if self.look():
                    self._changed()
            except Exception:
                log.exception("lookups failed")
            self._woken.wait(AGAIN / 4)

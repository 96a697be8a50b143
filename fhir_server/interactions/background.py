"""Background: what goes on in this process after its request was answered."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_AT_A_TIME = 4


class Background:
    """Tasks by name; a few run at a time, the others wait."""

    def __init__(self) -> None:
        """Nothing goes on."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(_AT_A_TIME)

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin `work`, or let it wait until others have ended."""

        async def run() -> None:
            async with self._gate:
                await work()

        task = asyncio.create_task(run(), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    def cancel(self, name: str) -> None:
        """End what goes on under that name, if it is in this process."""
        if name in self._tasks:
            self._tasks[name].cancel()

    async def close(self) -> None:
        """End everything."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

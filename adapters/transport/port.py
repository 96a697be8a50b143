"""One port for several processes: whichever binds it first listens, the others wait to
take over."""

import asyncio
import errno

from adapters.transport.client import read_address
from adapters.transport.server import Listener
from fhir_server.log import get_logger

RETRY_SECONDS = 2.0

_log = get_logger("mllp")


class Port:
    """The MLLP port of one process among `processes` that serve the same store."""

    def __init__(self, listener: Listener, address: str, processes: int = 1) -> None:
        """Take the listener and `HOST:PORT`. Raises ValueError for an address that is none."""
        self._listener = listener
        self._host, self._port = read_address(address)
        self._alone = processes == 1
        self._waiting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen, or wait in the background for the port while another process holds it.

        Raises OSError where this is the only process: then somebody else has the port.
        """
        if not await self._try():
            self._waiting = asyncio.create_task(self._wait())

    async def close(self) -> None:
        """Stop waiting or listening."""
        if self._waiting is not None:
            self._waiting.cancel()
        await self._listener.close()

    async def _try(self) -> bool:
        try:
            await self._listener.start(self._host, self._port)
        except OSError as fault:
            if self._alone or fault.errno != errno.EADDRINUSE:
                raise
            return False
        _log.info("mllp.listening", port=self._port)
        return True

    async def _wait(self) -> None:
        while not await self._try():
            await asyncio.sleep(RETRY_SECONDS)

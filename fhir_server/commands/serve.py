"""`fhir-hub serve`: HTTP, and HL7 v2 over MLLP, on one store."""

import argparse
import asyncio
import ipaddress
import os
import socket
import sys
import warnings

import uvicorn

from adapters.transport.client import read_address
from fhir_server.app import milliseconds
from fhir_server.commands.store import positive
from fhir_server.log import severity
from fhir_server.settings import Settings, export, load
from fhir_server.store.open import open_store
from fhir_server.web.connection import Connection


class InsecureDevelopmentWarning(UserWarning):
    """Something is switched off that a hub in use must have on."""


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("serve", help="serve HTTP and HL7 v2", description=__doc__)
    options(parser)
    parser.set_defaults(run=run)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare what `serve` and `demo --serve` share."""
    parser.add_argument("--host", help="address for HTTP (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port for HTTP (8080)")
    parser.add_argument(
        "--store", help="sqlite:///PATH (sqlite:///hub.db), mongodb://HOSTS/DB or memory://"
    )
    parser.add_argument("--mllp", metavar="HOST:PORT", help="address for HL7 v2 (127.0.0.1:2575)")
    parser.add_argument("--workers", type=positive, help="HTTP processes on one store (1)")
    parser.add_argument(
        "--open", action="store_true", default=None, help="no authentication: loopback only"
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings of the environment and of this command line, or refuse what is unsafe."""
    names = ("host", "port", "store", "mllp", "workers", "open")
    settings = load(**{name: getattr(args, name, None) for name in names})
    if settings.open and not is_loopback(settings.host):
        raise ValueError(
            f"--open is refused on {settings.host}: only a loopback address may be open"
        )
    if settings.workers > 1 and settings.store.startswith("memory:"):
        raise ValueError("--workers needs a store that processes can share; memory:// is not one")
    return settings


def preflight(settings: Settings) -> None:
    """Refuse now and in plain words what the server would refuse in its log.

    Raises ValueError for a setting, OSError for an address that cannot be listened on.
    """
    severity(settings.log_level)
    if not 1 <= settings.port <= 65535:
        raise ValueError(f"{settings.port} is no port; expected 1 to 65535")
    listen(settings.host, settings.port)
    if settings.mllp:
        listen(*read_address(settings.mllp))
    asyncio.run(open_store(settings.store, milliseconds).close())
    if settings.store.startswith("memory:") and not settings.open:
        print("memory:// begins without users: only --open lets anybody in.", file=sys.stderr)


def listen(host: str, port: int) -> None:
    """Listen for a moment. Raises OSError with the address where that is not possible."""
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        socket.create_server(address[:2], family=family).close()
    except OSError as fault:
        known = isinstance(fault, socket.gaierror) or fault.errno is None
        words = fault.strerror if known else os.strerror(fault.errno or 0)
        raise OSError(f"cannot listen on {host}:{port}: {words}") from None


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    settings = settings_of(args)
    preflight(settings)
    print(f"FHIR   http://{settings.host}:{settings.port}/fhir")
    print(f"Pages  http://{settings.host}:{settings.port}/")
    print(f"MLLP   {settings.mllp or 'off'}", flush=True)
    serve(settings)
    return 0


def serve(settings: Settings) -> None:
    """Run the HTTP server (and in its first process the MLLP listener) until interrupted."""
    if settings.open:
        warnings.warn(
            "Authentication is OFF: whoever reaches this port reads and writes everything.",
            InsecureDevelopmentWarning,
            stacklevel=2,
        )
        print("WARNING: authentication is off (--open).", file=sys.stderr)
    export(settings)
    uvicorn.run(
        "fhir_server.app:create",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=True,
        timeout_graceful_shutdown=int(settings.request_seconds) + 5,  # what was sent is answered
        timeout_worker_healthcheck=60,  # loading the definitions takes a busy machine seconds
        timeout_keep_alive=30,
        backlog=1024,
    )

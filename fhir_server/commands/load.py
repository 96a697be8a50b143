"""`fhir-hub load`: Bundles and NDJSON into a store, and a report of what was refused and why."""

import argparse
import asyncio
import gzip
import lzma
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.commands.progress import progress
from fhir_server.commands.store import opened
from fhir_server.errors import HubError
from fhir_server.identity.authenticate import operator
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform
from fhir_server.interactions.server import Server

SUFFIXES = (".json", ".ndjson", ".jsonl")
AT_ONCE = 64
SHOWN = 20


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("load", help="load Bundles and NDJSON", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    parser.add_argument("--store", help="sqlite:///PATH")
    parser.add_argument(
        "--owner", default="", help="the Organization's id that what is loaded is of"
    )
    parser.set_defaults(run=run)


@dataclass(slots=True)
class Report:
    """What became of a load."""

    loaded: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the report for a person."""
        lines = [f"{count:>9,}  {type}" for type, count in sorted(self.loaded.items())]
        lines.append(f"{self.loaded.total():>9,}  loaded, {len(self.refused):,} refused")
        lines += [f"refused: {words}" for words in self.refused[:SHOWN]]
        if len(self.refused) > SHOWN:
            lines.append(f"… and {len(self.refused) - SHOWN:,} more")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Item:
    """One JSON document: where it stands, and its bytes."""

    place: str
    body: bytes


def run(args: argparse.Namespace) -> int:
    """Load, print the report, and return 1 where something was refused."""
    files = list(found(args.paths))
    report = asyncio.run(_run(files, args.store, args.owner))
    print(report)
    return 1 if report.refused else 0


async def _run(files: list[Path], store: str | None, owner: str) -> Report:
    report = Report()
    async with opened(store) as parts:
        caller = replace(operator(parts.server.clock(), parts.server.new_id()), organization=owner)
        free = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            async for item in _items(files, report):
                await free.acquire()
                task = tasks.create_task(_one(parts.server, caller, item, report))
                task.add_done_callback(lambda _: free.release())
    return report


async def _items(files: list[Path], report: Report) -> AsyncIterator[Item]:
    for path in progress(files, "files", len(files)):
        try:
            for item in items(path):
                yield item
        except (OSError, EOFError, lzma.LZMAError) as fault:
            report.refused.append(f"{path}: {fault}")
        await asyncio.sleep(0)


async def _one(server: Server, caller: Caller, item: Item, report: Report) -> None:
    try:
        for ask in interactions(item.body):
            reply = await perform(server, replace(caller, now=server.clock()), ask)
            if ask.type:
                report.loaded[ask.type] += 1
            else:
                _count(fhirjson.decode(reply.body), report, item.place)
    except HubError as error:
        words = "; ".join(
            f"{i.expression + ': ' if i.expression else ''}{i.diagnostics}"
            for i in error.issues[:3]
        )
        report.refused.append(f"{item.place}: {words}")


def _count(answer: dict[str, Any], report: Report, place: str) -> None:
    """Count the entries of a batch's or transaction's answer."""
    for number, entry in enumerate(answer.get("entry", ())):
        response = entry["response"]
        if response["status"] < "3":
            report.loaded[response.get("location", "?/?").split("/_history")[0].split("/")[-2]] += 1
        else:
            issues = response.get("outcome", {}).get("issue", [{}])
            report.refused.append(f"{place} entry {number}: {issues[0].get('diagnostics', '')}")


def interactions(body: bytes) -> Iterator[Interaction]:
    """Yield what a document asks for: a Bundle's own transaction or batch, else one write
    a resource."""
    resource = fhirjson.decode(body)
    if not isinstance(resource, dict):
        resource = {"resourceType": type(resource).__name__}
    if resource.get("resourceType") != "Bundle":
        yield _write(resource, body)
    elif resource.get("type") in ("transaction", "batch"):
        name = cast(Any, resource["type"])
        yield Interaction(name, body=body, content_type="application/fhir+json", returns="minimal")
    else:
        for entry in resource.get("entry", ()):
            yield _write(entry.get("resource", {}), fhirjson.encode(entry.get("resource", {})))


def _write(resource: dict[str, Any], body: bytes) -> Interaction:
    kind, id = str(resource.get("resourceType")), str(resource.get("id") or "")
    return Interaction(
        "update" if id else "create", type=kind, id=id, body=body,
        content_type="application/fhir+json", returns="minimal",
    )  # fmt: skip


def found(paths: list[Path]) -> Iterator[Path]:
    """Yield the files to load, folders walked in order. Raises FileNotFoundError."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and kind(p) is not None)
        elif path.exists():
            yield path
        else:
            raise FileNotFoundError(f"{path} does not exist")


def kind(path: Path) -> str | None:
    """Return the suffix that tells what a file holds, compressed or not.

    >>> kind(Path("a.ndjson.gz")), kind(Path("b.txt"))
    ('.ndjson', None)
    """
    suffix = path.with_suffix("").suffix if path.suffix in (".gz", ".xz") else path.suffix
    return suffix if suffix in SUFFIXES else None


def items(path: Path) -> Iterator[Item]:
    """Yield the documents of a file: each line of NDJSON, or the whole of it."""
    with _open(path) as stream:
        if kind(path) in (".ndjson", ".jsonl"):
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield Item(f"{path}:{number}", line)
        else:
            yield Item(str(path), stream.read())


def _open(path: Path) -> BinaryIO:
    match path.suffix:
        case ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        case ".xz":
            return cast(BinaryIO, lzma.open(path, "rb"))
        case _:
            return path.open("rb")

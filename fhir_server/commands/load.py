"""`fhir-hub load`: Bundles and NDJSON into a store, and a report of what was refused and why."""

import argparse
import asyncio
import gzip
import lzma
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.commands.progress import progress
from fhir_server.commands.store import opened
from fhir_server.errors import BadRequest, HubError
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
    parser.add_argument("--store", help="sqlite:///PATH, or memory:// to try and keep nothing")
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
    if not files:
        raise ValueError(f"nothing to load: no file ends in {', '.join(SUFFIXES)} (or .gz, .xz)")
    report = asyncio.run(_run(files, args.store, args.owner))
    print(report)
    return 1 if report.refused else 0


async def _run(files: list[Path], store: str | None, owner: str) -> Report:
    report = Report()
    async with opened(store, fresh=True) as parts:
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
        asked = list(interactions(item))
    except HubError as error:
        report.refused.append(f"{item.place}: {words_of(error.issues)}")
        return
    for place, ask in asked:
        try:
            if ask.type and ask.type not in server.definitions.resource_types:
                raise BadRequest(f"{ask.type!r} is no resource type of R4")
            reply = await perform(server, replace(caller, now=server.clock()), ask)
        except HubError as error:
            report.refused.append(f"{place}: {words_of(error.issues)}")
            continue
        if ask.type:
            report.loaded[ask.type] += 1
        else:
            _count(fhirjson.decode(reply.body), report, place)


def words_of(issues: Sequence[Issue]) -> str:
    """Return what is wrong, the first few things, each with its place."""
    return "; ".join(
        f"{i.expression + ': ' if i.expression else ''}{i.diagnostics}" for i in issues[:3]
    )


def _count(answer: dict[str, Any], report: Report, place: str) -> None:
    """Count the entries of a batch's or transaction's answer."""
    for number, entry in enumerate(answer.get("entry", ())):
        response = entry["response"]
        if response["status"] < "3":
            if "location" in response:  # of what was written; an entry may also read or delete
                report.loaded[response["location"].split("/_history")[0].split("/")[-2]] += 1
        else:
            issues = response.get("outcome", {}).get("issue", [{}])
            report.refused.append(f"{place} entry {number}: {issues[0].get('diagnostics', '')}")


def interactions(item: Item) -> Iterator[tuple[str, Interaction]]:
    """Yield what a document asks for, each with its place: a Bundle's own transaction or batch,
    else one write a resource. Raises `BadRequest` for what is no resource."""
    resource = fhirjson.decode(item.body)
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str):
        raise BadRequest("found no resourceType; expected a resource or a Bundle")
    if kind != "Bundle":
        yield item.place, _write(kind, resource, item.body)
    elif resource.get("type") in ("transaction", "batch"):
        name = cast(Any, resource["type"])
        yield (
            item.place,
            Interaction(
                name, body=item.body, content_type="application/fhir+json", returns="minimal"
            ),
        )
    else:
        for number, entry in enumerate(resource.get("entry", ())):
            held = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(held, dict):
                kind = str(held.get("resourceType"))
                yield f"{item.place} entry {number}", _write(kind, held, fhirjson.encode(held))


def _write(kind: str, resource: dict[str, Any], body: bytes) -> Interaction:
    id = str(resource.get("id") or "")
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
            yield Item(str(path), stream.read().removeprefix(BOM_UTF8))


def _open(path: Path) -> BinaryIO:
    match path.suffix:
        case ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        case ".xz":
            return cast(BinaryIO, lzma.open(path, "rb"))
        case _:
            return path.open("rb")

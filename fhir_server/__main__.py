"""The command line of the hub (console script `fhir-hub`)."""

import argparse
import os
import sys
from types import ModuleType

from fhir_server.commands import (
    backup,
    bench,
    check,
    copy,
    demo,
    fhirpath,
    hl7,
    load,
    migrate,
    package,
    reindex,
    restore,
    serve,
    story,
    token,
    user,
    validate,
)
from fhir_server.errors import HubError
from fhir_server.log import configure

COMMANDS: tuple[ModuleType, ...] = (
    serve,
    demo,
    story,
    load,
    user,
    token,
    hl7,
    validate,
    package,
    fhirpath,
    check,
    reindex,
    backup,
    restore,
    copy,
    migrate,
    bench,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="fhir-hub", description="A FHIR R4 server and referral hub for hospitals and clinics."
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; return 0, 1 for a failure that was told in words, 2 for a wrong
    command line."""
    args = parser().parse_args(argv)
    configure("warning", for_good=False)  # what is served says more, as its setting has it
    try:
        return int(args.run(args) or 0)
    except HubError as error:
        for issue in error.issues:
            print(f"fhir-hub {args.command}: {issue.diagnostics}", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nobody reads on: say no more
    except (OSError, ValueError) as error:
        print(f"fhir-hub {args.command}: {_words(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"fhir-hub {args.command}: stopped", file=sys.stderr)
    return 1


def _words(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())

"""`fhir-hub package`: FHIR packages whose profiles and terminology the hub knows."""

import argparse
from pathlib import Path

from conformance.packages import Packages
from fhir_server.settings import load


def add(parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = parsers.add_parser("package", help="FHIR packages", description=__doc__)
    parser.add_argument("--packages", help="folder of the packages", metavar="FOLDER")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="add packages (.tgz)")
    adding.add_argument("files", nargs="+", type=Path, metavar="FILE")
    adding.set_defaults(act=_add)
    listing = actions.add_parser("list", help="list packages and what they lack")
    listing.set_defaults(act=_list)
    removing = actions.add_parser("remove", help="remove a package")
    removing.add_argument("name", metavar="NAME[#VERSION]")
    removing.set_defaults(act=_remove)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the action; ValueError says what is wrong with a package."""
    return int(args.act(args, Packages(Path(load(packages=args.packages).packages))))


def _add(args: argparse.Namespace, packages: Packages) -> int:
    for path in args.files:
        package = packages.add(path)
        print(f"{package.name}#{package.version}")
    return _tell_missing(packages)


def _list(_: argparse.Namespace, packages: Packages) -> int:
    for package in packages.all():
        print(f"{package.name}#{package.version}")
    return _tell_missing(packages)


def _remove(args: argparse.Namespace, packages: Packages) -> int:
    name, _, version = args.name.partition("#")
    gone = packages.remove(name, version)
    for package in gone:
        print(f"removed {package.name}#{package.version}")
    if not gone:
        raise ValueError(f"there is no package {args.name}")
    return _tell_missing(packages)


def _tell_missing(packages: Packages) -> int:
    for package, name, version in packages.missing():
        print(f"{package.name}#{package.version} depends on {name}#{version}, which is not there")
    return 0

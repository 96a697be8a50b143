"""The command line's subcommands, one file each: `add(parsers)` declares, `run(args)` does."""

"""Every setting, its default and one sentence of help; the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


def _setting(default: Any, help: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help}, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """The hub's settings; each can be given as an environment variable `FHIR_HUB_NAME`."""

    store: str = _setting(
        "sqlite:///hub.db",
        "Where the record lies: `sqlite:///PATH`, `mongodb://HOSTS/DATABASE` or `memory://`.",
        secret=True,
    )
    host: str = _setting("127.0.0.1", "Address on which HTTP is served.")
    port: int = _setting(8080, "Port on which HTTP is served.")
    base_url: str = _setting(
        "",
        "The hub's own FHIR base as clients see it; empty: that of each request, and in stored "
        "references `http://HOST:PORT/fhir`.",
    )
    mllp: str = _setting(
        "127.0.0.1:2575", "Address and port on which HL7 v2 is received; empty: nowhere."
    )
    workers: int = _setting(1, "Number of HTTP processes on one store.")
    open: bool = _setting(
        False, "Switch authentication off; refused on anything but a loopback address."
    )
    site_key: str = _setting(
        "",
        "Key (hex) of ids, cursors and tokens; empty: made once and kept in the store.",
        secret=True,
    )
    page: int = _setting(20, "Entries of a page where the client names no `_count`.")
    page_limit: int = _setting(1000, "Most entries of a page, whatever `_count` asks for.")
    include_limit: int = _setting(
        1000, "Most resources that `_include` and `_revinclude` add to a page."
    )
    body_limit: int = _setting(64 * 1024 * 1024, "Largest request body in bytes.")
    entry_limit: int = _setting(5000, "Most entries of a batch or transaction.")
    delete_limit: int = _setting(
        100, "Most records that one conditional delete takes; 1: a match of several is a 412."
    )
    update_create: bool = _setting(
        True, "Whether source systems, the operator and an open hub may choose new ids by PUT."
    )
    request_seconds: float = _setting(
        30.0,
        "Seconds after which a search, a batch, a transaction or repeated attempts end with 503.",
    )
    request_limit: int = _setting(
        200, "Most FHIR requests that one process works on at a time; those beyond get 503."
    )
    header_limit: int = _setting(65536, "Largest head of a request (all its headers) in bytes.")
    url_limit: int = _setting(
        32768, "Longest address of a request in bytes; a longer search is a POST to `_search`."
    )
    stall_seconds: float = _setting(
        20.0, "Seconds after which a client that neither sends nor takes anything is dropped."
    )
    cors_origins: str = _setting(
        "",
        "Web origins, by commas, whose pages may call the FHIR API; `*`: all, empty: none.",
    )
    job_hours: int = _setting(
        24, "Hours for which the result of a request with `Prefer: respond-async` is kept."
    )
    query_seconds: float = _setting(10.0, "Seconds after which a query is given up with 503.")
    full_text: str = _setting(
        "on",
        "Whether words are kept for `_text` and `_content`: `on`, `off`, or types by commas.",
    )
    session_minutes: int = _setting(480, "Minutes after which a login ends.")
    token_minutes: int = _setting(60, "Minutes for which a token of the command line holds.")
    log_level: str = _setting("info", "Least level of log lines: debug, info, warning, error.")
    packages: str = _setting(
        "packages", "Folder of the FHIR packages whose profiles and terminology are known."
    )
    validation: str = _setting(
        "full", "How strictly what is written is checked: `off`, `structure` or `full`."
    )
    validation_rules: str = _setting(
        "",
        "JSON file with the levels and profiles of some sources and types; empty: all are checked "
        "alike.",
    )
    backup_key: str = _setting(
        "",
        "Key (hex, 32 bytes) that backups are encrypted with; empty: they are not.",
        secret=True,
    )
    sources: str = _setting("", "JSON file with the HL7 v2 sources; empty: those of the demo city.")


def load(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Return the settings of the environment, over which what is `given` (and not None) wins.

    Raises ValueError with the variable's name where a value cannot be read.
    """
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for item in fields(Settings):
        name = f"FHIR_HUB_{item.name.upper()}"
        if given.get(item.name) is not None:
            values[item.name] = given[item.name]
        elif name in source:
            values[item.name] = _read(name, source[name], type(item.default))
    return Settings(**values)


def _read(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in ("0", "1", "true", "false"):
            raise ValueError(f"{name} is {text!r}; expected true or false")
        return text.lower() in ("1", "true")
    try:
        return kind(text)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} is {text!r}; expected {expected}") from None


def export(settings: Settings) -> None:
    """Leave the settings in the environment, where worker processes, which start anew,
    find them."""
    for item in fields(Settings):
        value = getattr(settings, item.name)
        if value != item.default:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            os.environ[f"FHIR_HUB_{item.name.upper()}"] = text

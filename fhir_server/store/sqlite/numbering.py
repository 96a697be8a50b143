"""Numbers for the names that one transaction meets for the first time."""

import sqlite3

from fhir_server.store.sqlite.insert import insert
from fhir_server.store.sqlite.names import UNKNOWN, Names


class Numbering:
    """Gives numbers inside a transaction; they become common knowledge once it is committed."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        """Begin with what is committed."""
        self._connection = connection
        self._names = names
        self._patients: dict[str, int] = {}
        self._params: dict[tuple[str, str], int] = {}
        self._written = (0, 0)

    def patient(self, id: str) -> int:
        """Return a patient's number, a new one if need be."""
        number = self._names.patients.get(id) or self._patients.get(id)
        if number is None:
            number = self._names.patient(self._connection, id)
            if number == UNKNOWN:
                number = self._next("patient", "pid", len(self._patients) - self._written[0])
                self._patients[id] = number
        return number

    def param(self, type: str, name: str) -> int:
        """Return the number of a type's parameter, a new one if need be."""
        number = self._names.params.get((type, name)) or self._params.get((type, name))
        if number is None:
            number = self._names.param(self._connection, type, name)
            if number == UNKNOWN:
                number = self._next("param", "id", len(self._params) - self._written[1])
                self._params[type, name] = number
        return number

    def write(self) -> None:
        """Insert the names that are new since the last time."""
        patients = [(pid, id) for id, pid in self._patients.items()][self._written[0] :]
        params = [(n, *name) for name, n in self._params.items()][self._written[1] :]
        insert(self._connection, "patient", patients)
        insert(self._connection, "param", params)
        self._written = (len(self._patients), len(self._params))

    def publish(self) -> None:
        """Tell the whole process; the transaction is committed."""
        self._names.learn(self._patients, self._params)

    def _next(self, table: str, column: str, waiting: int) -> int:
        sql = f"SELECT coalesce(max({column}), 0) FROM {table}"
        return int(self._connection.execute(sql).fetchone()[0]) + waiting + 1

"""Patients, types and parameters as small numbers, remembered once a commit has made them."""

import sqlite3

UNKNOWN = -9
_MOST_PATIENTS = 100_000


class Names:
    """What this process knows of the tables `patient` and `param`; shared by all its threads.

    A number never changes once it is committed, so nothing that is remembered can be wrong.
    """

    def __init__(self, committed: "Names | None" = None) -> None:
        """Know nothing; or what is `committed`, to be asked inside a transaction that may still be
        undone: what is met there is not remembered."""
        self.patients: dict[str, int] = {} if committed is None else committed.patients
        self.params: dict[tuple[str, str], int] = {} if committed is None else committed.params
        self._learns = committed is None

    def patient(self, connection: sqlite3.Connection, id: str) -> int:
        """Return a patient's number, UNKNOWN if no record is about that patient."""
        known = self.patients.get(id)
        if known is not None:
            return known
        row = connection.execute("SELECT pid FROM patient WHERE id = ?", (id,)).fetchone()
        if row is None:
            return UNKNOWN
        self.learn({id: row[0]}, {})
        return int(row[0])

    def param(self, connection: sqlite3.Connection, type: str, name: str) -> int:
        """Return the number of a type's parameter, UNKNOWN if no record ever had it."""
        known = self.params.get((type, name))
        if known is not None:
            return known
        sql = "SELECT id FROM param WHERE type = ? AND name = ?"
        row = connection.execute(sql, (type, name)).fetchone()
        if row is None:
            return UNKNOWN
        self.learn({}, {(type, name): row[0]})
        return int(row[0])

    def kind(self, connection: sqlite3.Connection, type: str) -> int:
        """Return the number of a type, UNKNOWN if there never was a record of it."""
        return self.param(connection, type, "")

    def learn(self, patients: dict[str, int], params: dict[tuple[str, str], int]) -> None:
        """Remember numbers that are committed."""
        if not self._learns:
            return
        if len(self.patients) > _MOST_PATIENTS:
            self.patients.clear()
        self.patients.update(patients)
        self.params.update(params)

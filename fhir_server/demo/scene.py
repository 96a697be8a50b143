"""What the steps of the story share: the parties, what was said, what was found out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fhir_server.demo.client import Answer, Client


class StoryBroken(Exception):
    """A step did not do what it says."""


@dataclass(frozen=True, slots=True)
class Said:
    """One exchange, as it is shown: who asked what, and what came back."""

    who: str
    request: str
    answer: str


@dataclass(slots=True)
class Stage:
    """What the steps share: the parties, and what earlier steps found out."""

    physician: Client
    clinic: Client
    clinic_nurse: Client
    other_clinic: Client
    auditor: Client
    integrator: Client
    operator: Client
    send: Callable[[bytes], bytes]
    patient: Client | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    def v2(self, name: str) -> str:
        """Send the message `name` over MLLP, keep its acknowledgement and return MSA-1."""
        answer = self.send(self.facts[f"message:{name}"])
        self.facts[f"acknowledgement:{name}"] = answer
        text = answer.decode("gb18030" if b"GB18030" in answer else "utf-8")
        code = text.partition("\rMSA|")[2].partition("|")[0]
        event = self.facts[f"message:{name}"].split(b"|")[8].decode()
        self.said.append(Said("MLLP", event, f"MSA|{code}"))
        return code

    def http(
        self, client: Client, method: str, path: str, body: Any = None, **headers: str
    ) -> Answer:
        """Send a request as `client` and note what was said."""
        answer = client.send(method, path, body, **headers)
        self.said.append(Said(client.name, f"{method} {path}", f"{answer.status} {gist(answer)}"))
        return answer

    def close(self) -> None:
        """Close every party's connection."""
        parties = (
            self.physician, self.clinic, self.clinic_nurse, self.other_clinic, self.auditor,
            self.integrator, self.operator, self.patient,
        )  # fmt: skip
        for party in parties:
            if party is not None:
                party.close()


def gist(answer: Answer) -> str:
    """Return the one thing worth showing of an answer."""
    body = answer.body
    if not isinstance(body, dict):
        return ""
    match body.get("resourceType"):
        case "Bundle":
            return f"Bundle total={body.get('total', '-')} entries={len(body.get('entry', []))}"
        case "OperationOutcome":
            return str(body["issue"][0].get("diagnostics", ""))
        case None:
            return ""
        case kind:
            return f"{kind}/{body.get('id')} {body.get('status', '')}".strip()


def expect(held: bool, what: str) -> None:
    """Raise StoryBroken with `what` unless it held."""
    if not held:
        raise StoryBroken(what)

"""An archive in which anything is changed, left out, put elsewhere or cut off is refused."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.model import Entry, Key, Line, Version
from fhir_server.store import archive as archives
from fhir_server.store.archive import MAGIC, Archive, fresh, write
from fhir_server.store.sealing import Damaged, Sealed, key

KEY = bytes(range(32))
NOTICED = "damaged, cut off or changed|not an archive|unknown way|is not encrypted though"
OTHER = bytes(range(1, 33))


async def _lines(number: int) -> AsyncIterator[Line]:
    for n in range(1, number + 1):
        version = Version(Key("Basic", str(n)), 1, n, b'{"n":%d}' % n, "POST", (), ("p",))
        yield Line(n, version, (Entry("code", n, "http://s"),))


def made(number: int, key: bytes | None) -> bytes:
    """Return an archive of so many lines, ten in a frame."""
    file = io.BytesIO()
    asyncio.run(write(file, _lines(number), key, 0, "1"))
    return file.getvalue()


def parts(data: bytes) -> list[bytes]:
    """Return the header and the frames, each with its length."""
    found, at = [], len(MAGIC)
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        found.append(data[at:end])
        at = end
    return found


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_LINES", 10)


@pytest.fixture(params=[None, KEY], ids=["plain", "sealed"])
def seal(request: pytest.FixtureRequest) -> bytes | None:
    """The key of an archive, or none."""
    found: bytes | None = request.param
    return found


def manifest(path: Path, data: bytes, key: bytes | None) -> object:
    """Read an archive whole."""
    path.write_bytes(data)
    return asyncio.run(Archive(path, key).manifest())


@given(place=st.floats(0, 0.999), bit=st.integers(0, 7))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_bit_is_noticed(tmp_path: Path, seal: bytes | None, place: float, bit: int):
    data = bytearray(made(35, seal))
    data[int(place * len(data))] ^= 1 << bit

    with pytest.raises(ValueError, match=NOTICED):
        manifest(tmp_path / "a.hub", bytes(data), seal)


@given(place=st.floats(0, 0.999))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_cut_is_noticed(tmp_path: Path, seal: bytes | None, place: float):
    data = made(35, seal)

    with pytest.raises(ValueError, match=r"damaged, cut off or changed|not an archive"):
        manifest(tmp_path / "a.hub", data[: int(place * len(data))], seal)


@pytest.mark.parametrize("order", [(0, 2, 1, 3, 4, 5), (0, 1, 2, 3, 5), (0, 1, 1, 2, 3, 4, 5)])
def test_frames_elsewhere_are_noticed(tmp_path: Path, seal: bytes | None, order: tuple[int, ...]):
    """Swapped, left out, twice: each frame knows its place."""
    found = parts(made(35, seal))
    assert len(found) == 6  # the header, four frames of lines, the manifest

    with pytest.raises(ValueError, match="damaged, cut off or changed"):
        manifest(tmp_path / "a.hub", MAGIC + b"".join(found[n] for n in order), seal)


def test_a_missing_manifest_is_noticed(tmp_path: Path, seal: bytes | None):
    found = parts(made(35, seal))

    with pytest.raises(ValueError, match="damaged, cut off or changed"):
        manifest(tmp_path / "a.hub", MAGIC + b"".join(found[:-1]), seal)


def test_what_follows_the_manifest_is_noticed(tmp_path: Path, seal: bytes | None):
    with pytest.raises(ValueError, match="damaged, cut off or changed"):
        manifest(tmp_path / "a.hub", made(35, seal) + b"x", seal)


def test_frames_of_another_archive_are_noticed(tmp_path: Path):
    """Two archives under one key differ in their salts."""
    one, other = parts(made(35, KEY)), parts(made(35, KEY))

    with pytest.raises(ValueError, match="damaged, cut off or changed"):
        manifest(tmp_path / "a.hub", MAGIC + b"".join([*one[:3], other[3], *one[4:]]), KEY)


def test_the_key_is_needed(tmp_path: Path):
    with pytest.raises(ValueError, match="is encrypted; set FHIR_HUB_BACKUP_KEY"):
        manifest(tmp_path / "a.hub", made(1, KEY), None)


def test_another_key_opens_nothing(tmp_path: Path):
    with pytest.raises(ValueError, match="or the key is another one"):
        manifest(tmp_path / "a.hub", made(1, KEY), OTHER)


def test_a_plain_archive_is_refused_where_there_is_a_key(tmp_path: Path):
    """Who swaps an encrypted archive for one of their own is noticed."""
    with pytest.raises(ValueError, match="is not encrypted though"):
        manifest(tmp_path / "a.hub", made(1, None), KEY)


def test_a_sealed_archive_tells_nothing(tmp_path: Path):
    assert b"Basic" not in made(35, KEY)


def test_an_archive_of_nothing_is_one(tmp_path: Path, seal: bytes | None):
    assert manifest(tmp_path / "a.hub", made(0, seal), seal) == archives.Manifest(
        {}, {}, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize("text", ["", "no archive", "fhir-hub archive 2\n" + "x" * 80])
def test_what_is_no_archive_is_told(tmp_path: Path, text: str):
    with pytest.raises(ValueError, match="is not an archive of the hub"):
        manifest(tmp_path / "a.hub", text.encode(), None)


@pytest.mark.parametrize("text", ["00", "zz" * 32, "00" * 33])
def test_a_wrong_key_is_told(text: str):
    with pytest.raises(ValueError, match="not 32 bytes in hex"):
        key(text)


def test_a_last_frame_is_not_one_amid():
    closing, opening = (Sealed(KEY, b"header", b"salt") for _ in range(2))

    with pytest.raises(Damaged):
        opening.open(closing.close(b"x", last=True), last=False)


def test_a_fresh_file_is_the_owners(tmp_path: Path):
    with fresh(tmp_path / "a.hub") as file:
        file.write(b"x")

    assert (tmp_path / "a.hub").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["a.hub"]


def test_a_file_that_fails_leaves_nothing(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), fresh(tmp_path / "a.hub") as file:
        file.write(bytes(1 // 0))

    assert os.listdir(tmp_path) == []


def test_a_file_is_never_overwritten(tmp_path: Path):
    (tmp_path / "a.hub").write_bytes(b"kept")

    with pytest.raises(ValueError, match="exists already"), fresh(tmp_path / "a.hub"):
        pass

    assert (tmp_path / "a.hub").read_bytes() == b"kept"


def test_a_frame_that_would_fill_the_memory_is_not_opened(tmp_path: Path, monkeypatch):
    """Who makes an archive says how long its frames are when they are unpacked."""
    data = made(35, None)
    monkeypatch.setattr(archives, "_LONGEST", 100)

    with pytest.raises(ValueError, match="damaged, cut off or changed"):
        manifest(tmp_path / "a.hub", data, None)


def test_long_records_are_few_in_a_frame(monkeypatch):
    monkeypatch.setattr(archives, "_BYTES", 150)  # an entry counts as 100

    assert len(parts(made(10, None))) == 7  # the header, five frames of two lines, the manifest


GOLDEN = Path(__file__).parents[2] / "golden" / "archive"


@pytest.mark.parametrize(("name", "seal"), [("plain.hub", None), ("sealed.hub", KEY)])
def test_archives_of_earlier_versions_are_read(name: str, seal: bytes | None):
    """What was written once is read for ever: these files are never made anew."""

    async def read() -> list[Line]:
        return [line async for line in Archive(GOLDEN / name, seal).export()]

    label = Entry("_security", "R", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality")
    first = Version(Key("Patient", "p"), 1, 1000, b'{"active":true}', "POST", (label,), ("p",))
    second = Version(Key("Patient", "p"), 2, 2000, None, "DELETE", (), ("p",))
    other = Version(Key("token", "t"), 1, 3000, b"{}")
    assert asyncio.run(read()) == [
        Line(1, first),
        Line(2, second, ()),
        Line(3, other, (Entry("code", 1.5, 2, "u", 3, "#1"),)),
    ]

"""`fhir-hub load`: Bundles and NDJSON, plain, gz or xz, and a report of what was refused."""

import gzip
import json
import lzma

import pytest

ANNA = {"resourceType": "Patient", "id": "anna"}
WRONG = {"resourceType": "Patient", "id": "wrong", "gender": "wrong"}


def bundle(kind, *resources):
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"Patient/{each['id']}"}}
        for each in resources
    ]
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries}).encode()


def lines(*resources):
    return b"\n".join(json.dumps(each).encode() for each in resources)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.json", json.dumps(ANNA).encode()),
        ("bom.json", b"\xef\xbb\xbf" + json.dumps(ANNA).encode()),
        ("a.json.gz", gzip.compress(json.dumps(ANNA).encode(), mtime=0)),
        ("a.json.xz", lzma.compress(json.dumps(ANNA).encode())),
        ("a.ndjson", lines(ANNA) + b"\n\n"),
        ("a.jsonl.gz", gzip.compress(lines(ANNA), mtime=0)),
        ("t.json", bundle("transaction", ANNA)),
        ("b.json", bundle("batch", ANNA)),
        ("c.json", bundle("collection", ANNA)),
        ("s.json", bundle("searchset", ANNA)),
    ],
)
def test_a_file_is_loaded(run, empty, tmp_path, name, body):
    """Each kind of file is read, and its resource keeps its id."""
    (tmp_path / name).write_bytes(body)

    told = run("load", tmp_path / name, "--store", empty)

    assert (told.status, told.err) == (0, "")
    assert told.out == "        1  Patient\n        1  loaded, 0 refused\n"


@pytest.mark.parametrize(
    ("name", "body", "place", "why"),
    [
        ("x.json", b"{", "x.json", "not JSON that can be read"),
        ("x.json", b"", "x.json", "not JSON that can be read"),
        ("x.json", b"[]", "x.json", "found no resourceType"),
        ("x.json", b'{"a":1}', "x.json", "found no resourceType"),
        ("x.json", b'{"resourceType":"Nonsense"}', "x.json", "'Nonsense' is no resource type"),
        ("x.json.gz", b"plain", "x.json.gz", "Not a gzipped file"),
        ("x.json.gz", gzip.compress(b"{}", mtime=0)[:-9], "x.json.gz", "ended before"),
        ("x.json.xz", b"plain", "x.json.xz", "not supported by decoder"),
        ("x.ndjson", lines(WRONG), "x.ndjson:1", 'Patient.gender: found "wrong"'),
        ("x.json", bundle("transaction", WRONG), "x.json", 'found "wrong"'),
        ("x.json", bundle("batch", WRONG), "x.json entry 0", 'found "wrong"'),
        ("x.json", bundle("collection", WRONG), "x.json entry 0", 'found "wrong"'),
    ],
)
def test_what_is_refused_is_named_with_its_reason(run, empty, tmp_path, name, body, place, why):
    """The report names the place and the reason, and the command fails."""
    (tmp_path / name).write_bytes(body)

    told = run("load", tmp_path / name, "--store", empty)

    [refused] = [line for line in told.out.splitlines() if line.startswith("refused: ")]
    assert told.status == 1
    assert refused.startswith(f"refused: {tmp_path / place}: ") or place.endswith("0")
    assert place in refused
    assert why in refused


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.ndjson", lines(WRONG, ANNA)),
        ("x.json", bundle("batch", WRONG, ANNA)),
        ("x.json", bundle("collection", WRONG, ANNA)),
    ],
)
def test_the_rest_is_loaded(run, empty, tmp_path, name, body):
    """One refused resource keeps nothing else out, unless it stands in a transaction."""
    (tmp_path / name).write_bytes(body)

    assert "        1  loaded, 1 refused\n" in run("load", tmp_path / name, "--store", empty).out


def test_a_folder_is_walked(run, empty, tmp_path):
    """All files below a folder whose names say that they hold JSON are loaded."""
    (tmp_path / "in" / "side").mkdir(parents=True)
    (tmp_path / "in" / "a.json").write_bytes(json.dumps(ANNA).encode())
    (tmp_path / "in" / "side" / "b.ndjson").write_bytes(lines(ANNA | {"id": "b"}))
    (tmp_path / "in" / "readme.txt").write_text("not loaded")

    assert "        2  loaded, 0 refused\n" in run("load", tmp_path / "in", "--store", empty).out


def test_what_a_batch_reads_is_not_counted(run, empty, tmp_path):
    """Only what was written counts as loaded."""
    entry = {"request": {"method": "GET", "url": "Patient?_count=1"}}
    body = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    (tmp_path / "x.json").write_text(json.dumps(body))

    assert (
        run("load", tmp_path / "x.json", "--store", empty).out == "        0  loaded, 0 refused\n"
    )


def test_nothing_to_load_is_told(run, empty, tmp_path):
    """A folder without a file to load, and a path that is not there, are errors."""
    assert "nothing to load" in run("load", tmp_path, "--store", empty).err
    assert "does not exist" in run("load", tmp_path / "x", "--store", empty).err

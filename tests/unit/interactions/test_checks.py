"""The settings `validation` and `validation_rules`: how strictly a write is checked."""

import json
from dataclasses import replace

import pytest

from conformance.validator import Validator
from fhir_server.interactions.checks import Checks, read_checks
from fhir_server.settings import Settings

VITAL_SIGNS = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"}}
UNSOUND = OBSERVATION | {"referenceRange": [{"text": "x", "low": {"value": 2, "comparator": "<"}}]}
MALFORMED = OBSERVATION | {"colour": "red"}
FROM_FEEDS = [{"source": "feed", "level": "structure"}]


@pytest.fixture
def read(tmp_path, definitions, validator):
    """Return the checks of a list of rules."""

    def reading(rules, level="full"):
        path = tmp_path / "rules.json"
        path.write_text(rules if isinstance(rules, str) else json.dumps(rules))
        settings = Settings(validation=level, validation_rules=str(path))
        return read_checks(settings, definitions, validator)

    return reading


@pytest.fixture
def hub_callers(make_hub):
    """Return the callers of a hub by name."""
    return make_hub().callers


@pytest.fixture
def status(make_hub, read):
    """Return the status of a create under rules."""

    def asking(body, by="open", rules=(), level="full"):
        hub = make_hub(checks=read(list(rules), level))
        return hub.post("Observation", body, by=by).status_code

    return asking


@pytest.mark.parametrize(
    ("level", "unsound", "malformed"),
    [("full", 422, 422), ("structure", 201, 422), ("off", 201, 201)],
)
def test_level_decides_what_is_refused(status, level, unsound, malformed):
    """off checks nothing, structure no rule between elements, full all."""
    assert (status(UNSOUND, level=level), status(MALFORMED, level=level)) == (unsound, malformed)


def test_source_has_its_own_level(status):
    """A rule for a kind of caller holds for its writes alone."""
    assert status(UNSOUND, "operator", [{"source": "operator", "level": "structure"}]) == 201
    assert status(UNSOUND, "open", [{"source": "operator", "level": "structure"}]) == 422


def test_type_has_its_own_level(status):
    """A rule for a type holds for that type alone."""
    assert status(UNSOUND, rules=[{"type": "Observation", "level": "structure"}]) == 201
    assert status(UNSOUND, rules=[{"type": "Patient", "level": "structure"}]) == 422


def test_demanded_profile_is_checked_though_not_claimed(make_hub, read):
    """What a rule demands is asked of a resource that does not claim the profile."""
    hub = make_hub(checks=read([{"type": "Observation", "profile": VITAL_SIGNS}]))

    answer = hub.post("Observation", OBSERVATION)

    assert answer.status_code == 422
    assert "category" in answer.text


def test_every_write_of_a_bundle_is_checked(make_hub, read):
    """A transaction is refused for an entry that its type's rule refuses."""
    hub = make_hub(checks=read([{"type": "Observation", "profile": VITAL_SIGNS}]))
    entry = {"resource": OBSERVATION, "request": {"method": "POST", "url": "Observation"}}

    answer = hub.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    assert answer.status_code == 422


def test_off_leaves_what_cannot_be_read(status):
    """Where nothing is checked, an element of a wrong type is kept and not found by search."""
    wrong = {"subject": [7], "code": "x", "component": {"a": None}, "effectiveDateTime": {"b": []}}
    assert status(OBSERVATION | wrong, level="off") == 201


@pytest.mark.parametrize(
    ("named", "level"),
    [
        ("Observation", "off"),
        ("Patient", "structure"),
    ],
)
def test_name_of_the_writer_comes_before_its_kind(hub_callers, read, named, level):
    """The most specific rule decides: name, kind, any; of each, the type before all types."""
    rules = [
        {"level": "full"},
        {"type": "Observation", "level": "full"},
        {"source": "feed", "type": "Patient", "level": "full"},
        {"source": "his", "level": "structure"},
        {"source": "his", "type": "Observation", "level": "off"},
    ]

    assert read(rules).level_and_profiles(hub_callers["feed"], named) == (level, ())


def test_rule_for_the_kind_holds_for_other_names(hub_callers, read):
    """A feed without a rule of its own name has that of all feeds, others the setting's level."""
    checks = read(FROM_FEEDS, "off")
    other = replace(hub_callers["feed"], client="lis")

    assert checks.level_and_profiles(other, "Observation") == ("structure", ())
    assert checks.level_and_profiles(hub_callers["nurse"], "Observation") == ("off", ())


def test_profile_asks_for_the_whole_check(hub_callers, read):
    """A rule that names a profile and no level checks in full, whatever the setting."""
    checks = read([{"type": "Observation", "profile": VITAL_SIGNS}], "off")

    found = checks.level_and_profiles(hub_callers["nurse"], "Observation")

    assert found == ("full", (VITAL_SIGNS,))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "Observations", "level": "off"}, "'Observations' is no type"),
        ({"level": "loose"}, "Invalid enum value 'loose'"),
        ({"levels": "off"}, "unknown field `levels`"),
        ({"source": "his"}, "a level or a profile is needed"),
        ({"profile": VITAL_SIGNS}, "a rule with a profile needs a type"),
        ({"type": "Observation", "profile": "urn:none"}, "'urn:none' is not known"),
        ({"type": "Patient", "profile": VITAL_SIGNS}, "is a profile of Observation, not of"),
        ({"type": "Observation", "profile": VITAL_SIGNS, "level": "off"}, "at the level full"),
        ({"level": "off"}, "an earlier rule has the same source and type"),
        ("off", "Expected `object`"),
    ],
)
def test_wrong_rule_is_told_at_the_start(read, rule, words):
    """The number of the rule and what is wrong with it are told."""
    with pytest.raises(ValueError, match="validation_rules: rule 2: ") as told:
        read([{"level": "full"}, rule])

    assert words in str(told.value)


@pytest.mark.parametrize("text", ["{}", "[", ""])
def test_file_without_a_list_is_told(read, text):
    """A file that holds no list of rules is named."""
    with pytest.raises(ValueError, match=r"validation_rules: .*rules\.json holds no list of rules"):
        read(text)


def test_unknown_level_is_told(definitions, validator):
    """The setting's own value is checked."""
    with pytest.raises(ValueError, match="validation is 'loose'; expected one of off, structure"):
        read_checks(Settings(validation="loose"), definitions, validator)


def test_writes_are_told_errors_alone(definitions, hub_callers):
    """What is only warned of, `$validate` tells and a write does not."""
    telling = Validator(definitions)
    odd = OBSERVATION | {"valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org"}}
    odd["valueQuantity"]["code"] = "pulses"

    assert [issue.severity for issue in telling.validate(odd)] == ["warning"]
    assert Checks().problems(telling, hub_callers["nurse"], odd) == []

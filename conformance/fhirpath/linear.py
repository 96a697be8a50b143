"""An engine for regular expressions whose time grows with text and expression alone.

All ways that an expression may match are followed at once, character by character, the preferred
one first (R. Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009,
https://swtch.com/~rsc/regexp/regexp2.html).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import _constants as codes  # type: ignore[attr-defined] # no public access to the tree
from typing import Any

from conformance.fhirpath.errors import FHIRPathError

LARGEST = 5000  # instructions of a program
MOST_STEPS = 1_000_000  # about half a second

Span = tuple[int, int] | None
Saved = tuple[int, ...]
Test = Callable[[str], bool]
# ("test", Test) | ("split", first, second) | ("save", slot) | ("at", place) | ("match",)
Instruction = tuple[Any, ...]
Thread = tuple[int, Saved]


class _UnknownError(Exception):
    """The expression uses what this engine does not know, or is too large for it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression with `groups` groups."""

    instructions: list[Instruction]
    groups: int

    def matches(self, text: str) -> Iterator[tuple[Span, ...]]:
        """The spans of all groups, the whole match first, of each match from left to right.

        Raises FHIRPathError where that takes too many steps.
        """
        run = _Run(self, text)
        at = 0
        while at <= len(text):
            saved = run.search(at)
            if saved is None:
                return
            yield tuple(_span(*saved[slot : slot + 2]) for slot in range(0, len(saved), 2))
            at = saved[1] + (saved[1] == saved[0])


def _span(start: int, end: int) -> Span:
    return None if start < 0 or end < 0 else (start, end)


class _Run:
    """One program on one text; counts the steps of all searches."""

    def __init__(self, program: Program, text: str) -> None:
        self._code = program.instructions
        self._none: Saved = (-1,) * (2 * program.groups + 2)
        self._text = text
        self._steps = 0

    def search(self, start: int) -> Saved | None:
        """What the first match at or after a place saves."""
        found: Saved | None = None
        threads: list[Thread] = []
        for at in range(start, len(self._text) + 1):
            if found is None:
                threads = [*threads, (0, self._none)]
            ready, found_here = self._closure(threads, at)
            if found_here is not None:
                found = found_here
            if not ready and found is not None:
                break
            threads = self._step(ready, at)
        return found

    def _step(self, ready: list[Thread], at: int) -> list[Thread]:
        """The threads that the next character lets on."""
        if at >= len(self._text):
            return []
        character = self._text[at]
        return [(pc + 1, saved) for pc, saved in ready if self._code[pc][1](character)]

    def _closure(self, threads: list[Thread], at: int) -> tuple[list[Thread], Saved | None]:
        """Follow all that needs no character; a match ends what comes after it."""
        ready: list[Thread] = []
        seen: set[int] = set()
        for thread in threads:
            stack = [thread]
            while stack:
                pc, saved = stack.pop()
                if pc in seen:
                    continue
                seen.add(pc)
                self._count()
                match self._code[pc]:
                    case ("test", _):
                        ready.append((pc, saved))
                    case ("split", first, second):
                        stack += [(second, saved), (first, saved)]
                    case ("save", slot):
                        stack.append((pc + 1, (*saved[:slot], at, *saved[slot + 1 :])))
                    case ("at", place) if place(self._text, at):
                        stack.append((pc + 1, saved))
                    case ("match",):
                        return ready, saved
        return ready, None

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise FHIRPathError("the regular expression takes too long on this text")


def compile_linear(tree: Any, groups: int) -> Program | None:
    """Compile a parsed expression; None where it uses what this engine does not know."""
    code: list[Instruction] = []
    try:
        _emit(code, [(codes.SUBPATTERN, (0, 0, 0, tree))])
    except (_UnknownError, RecursionError):
        return None
    return Program([*code, ("match",)], groups)


def _emit(code: list[Instruction], tree: Any) -> None:
    for operator, argument in tree:
        if len(code) > LARGEST:
            raise _UnknownError
        if operator in _TESTS:
            code.append(("test", _TESTS[operator](argument)))
        elif operator is codes.AT and argument in _PLACES:
            code.append(("at", _PLACES[argument]))
        elif operator is codes.SUBPATTERN and not argument[1] and not argument[2]:
            _emit_group(code, argument[0], argument[-1])
        elif operator is codes.BRANCH:
            _emit_branch(code, argument[1])
        elif operator in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            _emit_repeat(code, *argument, is_greedy=operator is codes.MAX_REPEAT)
        else:
            raise _UnknownError


def _emit_group(code: list[Instruction], group: int | None, body: Any) -> None:
    if group is None:
        _emit(code, body)
        return
    code.append(("save", 2 * group))
    _emit(code, body)
    code.append(("save", 2 * group + 1))


def _emit_branch(code: list[Instruction], alternatives: list[Any]) -> None:
    ends = []
    for alternative in alternatives[:-1]:
        split = len(code)
        code.append(())
        _emit(code, alternative)
        ends.append(len(code))
        code.append(())
        code[split] = ("split", split + 1, len(code))
    _emit(code, alternatives[-1])
    for end in ends:
        code[end] = ("split", len(code), len(code))


def _emit_repeat(
    code: list[Instruction], least: int, most: Any, body: Any, *, is_greedy: bool
) -> None:
    for _ in range(min(least, LARGEST)):
        _emit(code, body)
    if most is codes.MAXREPEAT:
        split = len(code)
        code.append(())
        _emit(code, body)
        code.append(("split", split, split))
        code[split] = _split(split + 1, len(code), is_greedy=is_greedy)
        return
    splits = []
    for _ in range(min(most - least, LARGEST)):
        splits.append(len(code))
        code.append(())
        _emit(code, body)
    for split in splits:
        code[split] = _split(split + 1, len(code), is_greedy=is_greedy)


def _split(inside: int, outside: int, *, is_greedy: bool) -> Instruction:
    return ("split", inside, outside) if is_greedy else ("split", outside, inside)


def _test_set(items: list[tuple[Any, Any]]) -> Test:
    """A set of characters: `[^a-z\\d]`."""
    is_negated = items[0][0] is codes.NEGATE
    tests = [_TESTS[operator](argument) for operator, argument in items[is_negated:]]
    return lambda character: any(test(character) for test in tests) is not is_negated


def _test_range(ends: tuple[int, int]) -> Test:
    first, last = map(chr, ends)
    return lambda character: first <= character <= last


def _test_literal(code: int) -> Test:
    wanted = chr(code)
    return lambda character: character == wanted


def _test_other(code: int) -> Test:
    unwanted = chr(code)
    return lambda character: character != unwanted


def is_word(character: str) -> bool:
    """Whether `\\w` matches a character."""
    return character.isalnum() or character == "_"


_CATEGORIES: dict[Any, Test] = {
    codes.CATEGORY_DIGIT: str.isdecimal,
    codes.CATEGORY_NOT_DIGIT: lambda character: not character.isdecimal(),
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda character: not character.isspace(),
    codes.CATEGORY_WORD: is_word,
    codes.CATEGORY_NOT_WORD: lambda character: not is_word(character),
}

_TESTS: dict[Any, Callable[[Any], Test]] = {
    codes.LITERAL: _test_literal,
    codes.NOT_LITERAL: _test_other,
    codes.RANGE: _test_range,
    codes.CATEGORY: _CATEGORIES.__getitem__,
    codes.ANY: lambda _: lambda _: True,
    codes.IN: _test_set,
}


def _is_boundary(text: str, at: int) -> bool:
    before = at > 0 and is_word(text[at - 1])
    after = at < len(text) and is_word(text[at])
    return before is not after


_PLACES: dict[Any, Callable[[str, int], bool]] = {
    codes.AT_BEGINNING: lambda _, at: at == 0,
    codes.AT_BEGINNING_STRING: lambda _, at: at == 0,
    codes.AT_END: lambda text, at: at == len(text) or text[at:] == "\n",
    codes.AT_END_STRING: lambda text, at: at == len(text),
    codes.AT_BOUNDARY: _is_boundary,
    codes.AT_NON_BOUNDARY: lambda text, at: not _is_boundary(text, at),
}

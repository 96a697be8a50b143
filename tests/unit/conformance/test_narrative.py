"""Narrative. https://hl7.org/fhir/R4/narrative.html"""

import pytest

from conformance.validation.narrative import check_div


def div(content: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "<p>a<br/>b</p><table class='x' border='1'><tr><td colspan='2'>c</td></tr></table>",
        "<a href='http://x'>a</a><a href='#b' name='b'>b</a><a href='mailto:a@b'>c</a>",
        "<a href='Patient/1'>a</a>",
        "<img src='data:image/png;base64,AAAA' alt='x'/>",
        "<p style='color: red; background: url(data: image/png;base64,AAAA)'>a</p>",
        "<p style='background-image: url(line.png)'>a</p>",
        "<!-- note --><p xml:lang='zh' lang='zh'>&lt;b&gt; &#160; 中文</p>",
    ],
)
def test_formatting_passes(content: str) -> None:
    assert check_div(div(content)) is None


ACTIVE = [
    ("<script>x()</script>a", "<script>"),
    ("<p onclick='x()'>a</p>", "onclick"),
    ("<a href='javascript:x()'>a</a>", "href"),
    ("<a href=' JavaScript:x()'>a</a>", "href"),
    ("<a href='java&#9;script:x()'>a</a>", "href"),
    ("<a href='vbscript:x()'>a</a>", "href"),
    ("<a href='data:text/html,x'>a</a>", "href"),
    ("<img src='data:image/svg+xml;base64,AAAA'/>", "src"),
    ("<img src='javascript:x()'/>", "src"),
    ("<iframe src='http://x'></iframe>a", "<iframe>"),
    ("<form action='http://x'>a</form>", "<form>"),
    ("<input value='a'/>a", "<input>"),
    ("<object data='x'>a</object>", "<object>"),
    ("<link rel='stylesheet' href='http://x'/>a", "<link>"),
    ("<style>p {}</style>a", "<style>"),
    ("<svg xmlns='http://www.w3.org/2000/svg'><p>a</p></svg>", "<svg>"),
    ("<math>a</math>", "<math>"),
    ("<p style='background: url(http://x/y)'>a</p>", "style"),
    ("<p style='background: url(//x/y)'>a</p>", "style"),
    ("<p style='background: \\75rl(http://x)'>a</p>", "style"),
    ("<p style='width: expression(x())'>a</p>", "style"),
    ("<p style='@import \"http://x\"'>a</p>", "style"),
    ("<p style='-moz-binding: x'>a</p>", "style"),
    ("<?php x ?>a", "php"),
]


@pytest.mark.parametrize(("content", "named"), ACTIVE)
def test_active_content_is_refused(content: str, named: str) -> None:
    """The XHTML shall not contain scripts, forms, frames, objects, events, external styles."""
    found = check_div(div(content)) or []

    assert {each.code for each in found} == {"invariant"}
    assert any(named in each.text for each in found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "structure"),
        ("plain", "structure"),
        ("<div>", "structure"),
        (div("<p>a"), "structure"),
        (div("&nbsp;"), "structure"),
        (div("a") + div("b"), "structure"),
        (div("\ud800"), "structure"),
        (div("\x00"), "structure"),
        ("<div>a</div>", "invariant"),
        ('<p xmlns="http://www.w3.org/1999/xhtml">a</p>', "invariant"),
        ('<div xmlns="http://www.w3.org/1999/xhtml">  <br/> </div>', "invariant"),
    ],
)
def test_what_is_no_narrative_is_refused(text: str, code: str) -> None:
    found = check_div(text) or []

    assert [each.code for each in found] == [code]


def test_entities_are_never_declared() -> None:
    """A document type could expand to gigabytes, or read files."""
    bomb = '<!DOCTYPE div [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + div("&b;")

    [found] = check_div(bomb) or []

    assert found.text == "a document type is not allowed in a narrative"


def test_image_by_fragment_waits_for_its_resource() -> None:
    [found] = check_div(div("<img src='#pic' alt='x'/>")) or []

    assert found.pending == "#pic"

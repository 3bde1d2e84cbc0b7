"""A small, strict XML scanner that knows where every value stands in the file.

A parser that builds a tree forgets how a file was written; a tune must come back byte for byte.
This scanner reports elements, attributes and text with their byte positions, so a value can be
replaced in place and nothing else moves. Document types and entities are refused before anything
is expanded: there is nothing in a tune that needs them, and a "billion laughs" file starts there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_MAX_DEPTH = 32
_TAG = re.compile(rb"<(/?)([A-Za-z_][\w:.-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*?)(/?)>")
_ATTRIBUTE = re.compile(rb"\s+([A-Za-z_][\w:.-]*)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));|&")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']")
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "windows-1252"}


class XmlError(ValueError):
    """The bytes are not the plain XML we read. The message names the line."""


@dataclass(frozen=True, slots=True)
class Value:
    """A text with the place of its bytes in the file: ``data[start:stop]``."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of an element."""

    name: str
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The end of an element."""

    name: str


def scan(data: bytes) -> Iterator[Start | End | Value]:
    """Yield starts, ends and non-blank text in the order of the file.

    Raises XmlError for anything but well-formed elements, attributes, text and comments.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise XmlError("it is written in UTF-16; save it as UTF-8")
    encoding = _encoding(data)
    open_names: list[str] = []
    at = len(b"\xef\xbb\xbf") if data.startswith(b"\xef\xbb\xbf") else 0
    seen_root = False
    while at < len(data):
        if data[at : at + 1] != b"<":
            stop = data.find(b"<", at)
            stop = len(data) if stop < 0 else stop
            if data[at:stop].strip():
                if not open_names:
                    raise _error(data, at, "has text outside its root element")
                yield _value(data, at, stop, encoding)
            at = stop
            continue
        if data.startswith(b"<!--", at):
            at = _after(data, at, b"-->")
        elif data.startswith(b"<?", at):
            at = _after(data, at, b"?>")
        elif data.startswith(b"<!", at):
            raise _error(data, at, "declares a document type or an entity, which is refused")
        else:
            tag = _TAG.match(data, at)
            if tag is None:
                raise _error(data, at, "has a tag that is not complete")
            yield from _tag(data, tag, open_names, seen_root, encoding)
            seen_root = True
            at = tag.end()
    if open_names or not seen_root:
        raise _error(data, len(data), f"ends inside <{open_names[-1] if open_names else '…'}>")


def _tag(
    data: bytes, tag: re.Match[bytes], open_names: list[str], seen_root: bool, encoding: str
) -> Iterator[Start | End]:
    name = tag.group(2).decode("ascii", "replace")
    closing, body, empty = tag.group(1), tag.span(3), tag.group(4)
    if closing:
        if not open_names or open_names.pop() != name or data[body[0] : body[1]].strip() or empty:
            raise _error(data, tag.start(), f"closes <{name}> out of turn")
        yield End(name)
        return
    if seen_root and not open_names:
        raise _error(data, tag.start(), "has a second root element")
    yield Start(name, _attributes(data, *body, encoding))
    if empty:
        yield End(name)
        return
    open_names.append(name)
    if len(open_names) > _MAX_DEPTH:
        raise _error(data, tag.start(), "is nested too deeply")


def _attributes(data: bytes, start: int, stop: int, encoding: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    at, stop = start, start + len(data[start:stop].rstrip())
    while at < stop:
        match = _ATTRIBUTE.match(data, at, stop)
        if match is None:
            raise _error(data, at, "has an attribute without a quoted value")
        name = match.group(1).decode("ascii", "replace")
        if name in found:
            raise _error(data, at, f"states {name} twice in one element")
        span = match.span(2) if match.group(2) is not None else match.span(3)
        found[name] = _value(data, *span, encoding)
        at = match.end()
    return found


def _value(data: bytes, start: int, stop: int, encoding: str) -> Value:
    try:
        text = data[start:stop].decode(encoding)
    except UnicodeDecodeError as error:
        raise _error(data, start, f"is not {encoding} text") from error

    def expand(match: re.Match[str]) -> str:
        decimal, hexadecimal, named = match.groups()
        if named:
            return _NAMED[named]
        if not decimal and not hexadecimal:
            raise _error(data, start, "uses an entity, which is refused")
        code = int(decimal) if decimal else int(hexadecimal, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or code == 0:
            raise _error(data, start, "names a character that does not exist")
        return chr(code)

    return Value(_REFERENCE.sub(expand, text), start, stop)


def _encoding(data: bytes) -> str:
    declared = _DECLARATION.match(data[:200].removeprefix(b"\xef\xbb\xbf"))
    name = declared.group(1).decode("ascii", "replace").lower() if declared else "utf-8"
    if name not in _ENCODINGS:
        raise XmlError(f"it is written in {name}; save it as UTF-8")
    return name


def _after(data: bytes, at: int, end: bytes) -> int:
    stop = data.find(end, at)
    if stop < 0:
        raise _error(data, at, "has a comment or instruction that never ends")
    return stop + len(end)


def _error(data: bytes, at: int, what: str) -> XmlError:
    line = data.count(b"\n", 0, at) + 1
    return XmlError(f"line {line} {what}")


def escape(text: str) -> str:
    """Return *text* as it may stand in an attribute or between tags.

    >>> escape('5" & <up>')
    '5&quot; &amp; &lt;up&gt;'
    """
    for plain, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, reference)
    return text

"""Analyses kept with their sessions, and whether one answers what is asked now.

A kept document carries the hash of everything it was made from: the recording and how it was
mapped, the tune, what was known about the vehicle, and the version of the code. The same hash, the
same answer; another one, and the document is no answer. Reading it back gives the document, not
the surfaces with their covariance: those are worked out from the recording again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dynoai_desktop
from dynoai_desktop.core.analysis.document import SCHEMA_VERSION, to_document
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.settings import MATH_VERSION, fingerprint
from dynoai_desktop.core.analysis.tune_settings import TunePart
from dynoai_desktop.core.store.json_store import MAX_BYTES, StoreError, json_text, parse_object
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.tune.files import replace_all

FOLDER, NAME = "analysis", "NextGenAnalysis.json"
RAW_NAME = "raw.pcap"


class ArchiveError(ValueError):
    """A kept analysis cannot be used. The message says why and what to do."""


def session_of(path: Path) -> Path | None:
    """Return the session folder whose recording this is; None for a file of elsewhere."""
    folder = path if path.is_dir() else path.parent
    is_session = (folder / "session.json").is_file() and (folder / RAW_NAME).is_file()
    return folder if is_session and path in (folder, folder / RAW_NAME) else None


def request_key(
    session: Path, parts: Sequence[TunePart] = (), record: VehicleRecord | None = None
) -> str:
    """Return the hash of everything an analysis of this session would be made from.

    Raises StoreError when the session cannot be read.
    """
    sha = hashlib.sha256()
    texts = [MATH_VERSION, dynoai_desktop.__version__, SCHEMA_VERSION, fingerprint(record)]
    for part in parts:
        before = part.tune.data if part.before is None else part.before.data
        hashes = (hashlib.sha256(data).hexdigest() for data in (part.tune.data, before))
        texts += ["" if part.cylinder is None else part.cylinder.value, *hashes]
    try:
        texts += [_sha256_of(session / name) for name in ("session.json", RAW_NAME)]
    except OSError as error:
        raise StoreError(f"Cannot read {session.name}: {error.strerror or error}.") from error
    for text in texts:
        sha.update(text.encode())
        sha.update(b"\0")
    return sha.hexdigest()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_answer(session: Path, request: str) -> dict[str, Any] | None:
    """Return the document kept with a session if it was made from the same; else None."""
    path = session / FOLDER / NAME
    if not path.is_file():
        return None
    try:
        document = read_payload(path)
    except ArchiveError:  # another version's, or not readable: it is made anew
        return None
    return document if document.get("request") == request else None


def read_payload(path: Path) -> dict[str, Any]:
    """Return a kept analysis. Raises ArchiveError for anything else, another version's included."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ArchiveError(f"{path.name} is far larger than any analysis.")
        document = parse_object(path.read_bytes())
    except OSError as error:
        raise ArchiveError(f"Cannot read {path.name}: {error.strerror or error}.") from error
    except ArchiveError:
        raise
    except ValueError as error:
        raise ArchiveError(f"{path.name} {error}. Analyse the recording again.") from error
    require_version(document, path.name)
    return document


def require_version(document: Mapping[str, Any], name: str) -> None:
    """Raise ArchiveError unless the document is an analysis of this version's mathematics."""
    schema, maths = document.get("schema_version"), document.get("math_version")
    if schema != SCHEMA_VERSION:
        raise ArchiveError(
            f"{name} is no analysis of this program ({SCHEMA_VERSION}). Open the recording itself."
        )
    if maths != MATH_VERSION:
        raise ArchiveError(
            f"{name} was made by version {str(maths)[:20]} of the analysis, this is "
            f"{MATH_VERSION}: results of different versions are never mixed. Analyse the "
            "recording again."
        )


def keep(
    payload: Payload,
    session: Path,
    request: str,
    now: str,
    next_tests: Mapping[str, Any] | None = None,
) -> Path:
    """Write the document to the session; *now* is UTC, ISO 8601. Raises StoreError.

    *next_tests* is the planner's section.
    """
    document = to_document(
        payload,
        run_id=session.name,
        generated_at=now,
        request=request,
        next_tests=next_tests,
    )
    return keep_document(document, session)


def keep_document(document: Mapping[str, Any], session: Path) -> Path:
    """Write a document that `to_document` made to the session. Raises StoreError."""
    target = session / FOLDER / NAME
    replace_all({target: json_text(document).encode()})
    return target

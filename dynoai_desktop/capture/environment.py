"""Which bus to listen to when nobody says: the environment's word, else the standard one."""

from __future__ import annotations

import os

from dynoai_desktop.capture.sources.contract import CaptureError
from dynoai_desktop.capture.sources.jetdrive import GROUP, PORT, JetdriveSource


def default_interface() -> str | None:
    """Return the interface named by JETDRIVE_IFACE, or None."""
    return os.environ.get("JETDRIVE_IFACE") or None


def default_group() -> tuple[str, int]:
    """Return multicast group and port, JETDRIVE_MCAST_GROUP and JETDRIVE_PORT before the standard.

    Raises CaptureError when the port is not one.
    """
    text = os.environ.get("JETDRIVE_PORT") or str(PORT)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CaptureError(f"JETDRIVE_PORT is '{text}'; it must be a number from 1 to 65535.")
    return os.environ.get("JETDRIVE_MCAST_GROUP") or GROUP, int(text)


def jetdrive_source(interface: str) -> JetdriveSource:
    """Return a source on the bus that the environment names. Raises CaptureError as above.

    On loopback nothing is let out of this computer.
    """
    group, port = default_group()
    return JetdriveSource(interface, group, port, ttl=0 if interface.startswith("127.") else 1)

"""The network interfaces of this computer, as the operator chooses among them."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import psutil

from dynoai_desktop.capture.sources.contract import CaptureError

LOOPBACK = "127.0.0.1"
NO_INTERFACE = (
    "This computer has no network interface with an IPv4 address. Connect it to the dyno's "
    "network, or switch the network adapter on."
)


@dataclass(frozen=True, slots=True)
class Interface:
    """One IPv4 address of one adapter."""

    address: str
    adapter: str  # the system's name of it
    description: str
    is_up: bool


class _Address(Protocol):
    @property
    def family(self) -> int: ...

    @property
    def address(self) -> str: ...


class _Stats(Protocol):
    @property
    def isup(self) -> bool: ...


def list_interfaces() -> list[Interface]:
    """Return every IPv4 interface: working ones first, direct links before networks, then us."""
    return describe(psutil.net_if_addrs(), psutil.net_if_stats())


def describe(
    addresses: Mapping[str, Sequence[_Address]], stats: Mapping[str, _Stats]
) -> list[Interface]:
    """Return the interfaces in what psutil reports."""
    interfaces = [
        _describe(adapter, entry.address, adapter not in stats or stats[adapter].isup)
        for adapter, entries in addresses.items()
        for entry in entries
        if entry.family == socket.AF_INET
    ]
    return sorted(interfaces, key=_rank)


def _describe(adapter: str, address: str, is_up: bool) -> Interface:
    ip = ipaddress.IPv4Address(address)
    if ip.is_loopback:
        what = "this computer only (demo)"
    elif ip.is_link_local:
        what = "direct link, no router"
    elif ip.is_private:
        what = "local network"
    else:
        what = "public network"
    state = "" if is_up else ", not connected"
    return Interface(address, adapter, f"{adapter}: {what}{state}", is_up)


def _rank(interface: Interface) -> tuple[bool, bool, bool, str, str]:
    ip = ipaddress.IPv4Address(interface.address)
    return (
        ip.is_loopback,
        not interface.is_up,
        not ip.is_link_local,
        interface.adapter,
        interface.address,
    )


def choose(interfaces: Sequence[Interface], wanted: str = "") -> Interface:
    """Return the interface with the *wanted* address, or the first if none is wanted.

    Raises CaptureError when there is no such interface, or none at all.
    """
    if not interfaces:
        raise CaptureError(NO_INTERFACE)
    if not wanted:
        return interfaces[0]
    for interface in interfaces:
        if interface.address == wanted:
            return interface
    found = ", ".join(interface.address for interface in interfaces)
    raise CaptureError(
        f"No network interface has the address {wanted}. Choose one of these: {found}."
    )

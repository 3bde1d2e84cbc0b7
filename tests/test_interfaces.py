"""The operator sees every interface a dyno could be on, in words."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import pytest

from dynoai_desktop.capture.interfaces import (
    LOOPBACK,
    Interface,
    choose,
    describe,
    list_interfaces,
)
from dynoai_desktop.capture.sources.contract import CaptureError


@dataclass(frozen=True)
class Address:
    family: int
    address: str


@dataclass(frozen=True)
class Stats:
    isup: bool


def four(address: str) -> Address:
    return Address(socket.AF_INET, address)


def test_loopback_is_always_offered_for_the_demo() -> None:
    assert LOOPBACK in {interface.address for interface in list_interfaces()}


def test_every_ipv4_address_is_listed_working_direct_links_first_and_loopback_last() -> None:
    found = describe(
        {
            "lo": [four("127.0.0.1"), Address(socket.AF_INET6, "::1")],
            "Wi-Fi": [four("192.168.1.20")],
            "Ethernet": [four("10.0.0.5"), four("10.0.1.5")],
            "Ethernet 2": [four("169.254.22.100")],
            "Ethernet 3": [four("169.254.9.9")],
            "tunnel": [Address(socket.AF_INET6, "fe80::1")],
        },
        {"lo": Stats(True), "Wi-Fi": Stats(True), "Ethernet": Stats(True),
         "Ethernet 2": Stats(True), "Ethernet 3": Stats(False)},
    )  # fmt: skip
    assert [(i.address, i.description, i.is_up) for i in found] == [
        ("169.254.22.100", "Ethernet 2: direct link, no router", True),
        ("10.0.0.5", "Ethernet: local network", True),
        ("10.0.1.5", "Ethernet: local network", True),
        ("192.168.1.20", "Wi-Fi: local network", True),
        ("169.254.9.9", "Ethernet 3: direct link, no router, not connected", False),
        ("127.0.0.1", "lo: this computer only (demo)", True),
    ]


def test_no_interface_is_said_in_one_sentence_with_what_to_do() -> None:
    assert describe({}, {}) == []
    with pytest.raises(CaptureError, match=r"no network interface.*Connect it to the dyno"):
        choose([])


def test_a_wanted_address_is_found_or_the_others_are_named() -> None:
    a, b = (Interface(address, "eth", "", True) for address in ("10.0.0.5", "127.0.0.1"))
    assert choose([a, b]) is a
    assert choose([a, b], "127.0.0.1") is b
    with pytest.raises(CaptureError, match=r"10\.9\.9\.9.*10\.0\.0\.5, 127\.0\.0\.1"):
        choose([a, b], "10.9.9.9")

"""The bus itself: a UDP multicast socket on one network interface.

Datagrams are stamped right after each read, with Unix time anchored once at opening and carried
on by the system's monotonic counter, so that a clock correction during a session moves nothing.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
import sys
import time
from typing import Final

import psutil

from dynoai_desktop.capture.sources.contract import CaptureError, Datagram

log = logging.getLogger(__name__)

GROUP: Final = "224.0.2.10"
PORT: Final = 22344

_LARGEST = 65_536  # one more than a UDP payload can be
_BUFFER_BYTES = 8 << 20
BATCH_LIMIT: Final = 512
_GATHER_NS = 8_000_000  # a burst is handled as one batch; 8 ms are not seen on the screen
_CHECK_NS = 2_000_000_000  # how often the interface is looked after while nothing arrives
# Linux constants that Python does not name. Without the second, a socket on one interface also
# hears what other programs have joined on another.
_SO_RCVBUFFORCE = 33 if sys.platform == "linux" else None
_IP_MULTICAST_ALL = 49 if sys.platform == "linux" else None
# Windows reports on the next read what became of something we sent.
_HARMLESS = {errno.ECONNRESET, errno.ECONNREFUSED, errno.ENETRESET, errno.EINTR}


class JetdriveSource:
    """Listens to, and speaks on, the JETDRIVE multicast group."""

    simulated = False
    finished = False

    def __init__(self, interface: str, group: str = GROUP, port: int = PORT, ttl: int = 1) -> None:
        """Prepare to join *group* on the interface with this IPv4 address.

        A *ttl* of 1 keeps what we send on the local network, 0 on this computer.
        """
        self.interface = interface
        self.group = group
        self.port = port
        self._ttl = ttl
        self._socket: socket.socket | None = None
        self._anchor_ns = 0
        self._quiet_since_ns = 0
        self._can_send = True

    def open(self) -> None:
        """Join the group. Raises CaptureError with one clear sentence when that is impossible."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._set_up(sock)
        except (CaptureError, OSError):
            sock.close()
            raise
        # time.monotonic() ticks in 16 ms on Windows before Python 3.13, perf_counter() does not.
        self._anchor_ns = time.time_ns() - time.perf_counter_ns()
        self._quiet_since_ns = time.perf_counter_ns()
        self._socket = sock

    def _set_up(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            with contextlib.suppress(OSError):  # present in the headers, absent in some kernels
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        enlarge_buffer(sock)
        try:
            # Elsewhere than on Windows a socket bound to one address hears no multicast.
            sock.bind(("0.0.0.0" if sys.platform == "win32" else "", self.port))
        except OSError as error:
            raise CaptureError(
                f"Cannot listen on UDP port {self.port}: {error.strerror}. Close the program "
                "that holds this port for itself, then try again."
            ) from error
        try:
            local, group = socket.inet_aton(self.interface), socket.inet_aton(self.group)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + local)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            if _IP_MULTICAST_ALL is not None:
                sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        except OSError as error:
            raise CaptureError(
                f"Cannot join {self.group} on {self.interface}: {error.strerror or error}. Check "
                "that this address belongs to a connected network interface of this computer, on "
                "the network of the dyno."
            ) from error

    def receive(self, timeout_s: float) -> list[Datagram]:
        """Return what has arrived; see Source. A burst is gathered for up to 8 ms.

        Raises CaptureError when the socket or its interface is gone.
        """
        sock = self._socket
        if sock is None:
            raise CaptureError("The network connection is closed. Start the capture again.")
        if not _is_readable(sock, timeout_s):
            self._look_after_interface()
            return []
        batch: list[Datagram] = []
        read, add, clock, anchor_ns = (
            sock.recvfrom,
            batch.append,
            time.perf_counter_ns,
            self._anchor_ns,
        )
        now_ns = clock()
        until_ns = now_ns + _GATHER_NS
        while now_ns < until_ns and len(batch) < BATCH_LIMIT:
            try:
                data, sender = read(_LARGEST)
            except BlockingIOError:
                if not _is_readable(sock, (until_ns - clock()) / 1e9):
                    break
                continue
            except OSError as error:
                if error.errno not in _HARMLESS:
                    raise CaptureError(
                        f"The network connection on {self.interface} failed: {error.strerror}. "
                        "Check the cable and the adapter, then start again."
                    ) from error
                now_ns = clock()
                continue
            now_ns = clock()
            add(Datagram((anchor_ns + now_ns) // 1000, data, sender))
        self._quiet_since_ns = now_ns
        return batch

    def _look_after_interface(self) -> None:
        """Raise CaptureError when nothing arrives because our address does not exist any more."""
        now_ns = time.perf_counter_ns()
        if now_ns - self._quiet_since_ns < _CHECK_NS:
            return
        self._quiet_since_ns = now_ns
        addresses = {entry.address for found in psutil.net_if_addrs().values() for entry in found}
        if self.interface not in addresses:
            raise CaptureError(
                f"The network interface {self.interface} is gone. Plug the cable or the adapter "
                "in again, then start again."
            )

    def now_us(self) -> int:
        """Return Unix time as arrivals are stamped."""
        return (self._anchor_ns + time.perf_counter_ns()) // 1000

    def send(self, data: bytes) -> None:
        """Send a frame to the group. A frame that cannot be sent is only worth a log line."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(data, (self.group, self.port))
        except OSError as error:
            if self._can_send:
                self._can_send = False
                log.warning("Cannot send to %s on %s: %s", self.group, self.interface, error)

    def close(self) -> None:
        """Leave the group. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def enlarge_buffer(sock: socket.socket) -> None:
    """Get as large a receive buffer as the system gives."""
    if _SO_RCVBUFFORCE is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        except PermissionError:
            pass  # only an administrator may go beyond the system's limit
        else:
            return
    size = _BUFFER_BYTES
    while size > 1 << 16:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        except OSError:  # macOS refuses what Linux and Windows silently cut down
            size //= 2
        else:
            return


def _is_readable(sock: socket.socket, timeout_s: float) -> bool:
    if sys.platform == "win32":
        return bool(select.select([sock], [], [], max(0.0, timeout_s))[0])
    poller = select.poll()  # select() refuses descriptors above 1023
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(max(0.0, timeout_s) * 1000))

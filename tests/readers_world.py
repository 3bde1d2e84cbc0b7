"""Small log files of every format, written here so that a test says what is in them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

Row = Sequence[float]


def text_log(header: str, rows: Sequence[str], end: str = "\n") -> bytes:
    """A text file with a header line and these lines."""
    return (end.join([header, *rows]) + end).encode()


def session_log() -> bytes:
    rows = [f"{i * 0.05:.3f},{1500 + 10 * i},{0.88 + 0.001 * (i % 7):.3f},,{i}" for i in range(40)]
    return text_log("time_s,rpm [rpm],lambda_front [λ],map_kpa [kPa],tps [%]", rows)


def dynojet_log() -> bytes:
    head = "Time, (DWRT CPU) Engine RPM, (DWRT CPU) Power, (PV) Throttle Position, "
    rows = [f"{i * 0.05:.2f}, {1.5 + 0.03 * i:.3f}, {20 + i}, , " for i in range(40)]
    return text_log(head, rows, "\r\n")


def powervision_log() -> bytes:
    lines = [
        '"Dynojet Power Vision Log File"',
        "",
        '"Format:","Pro-XY CSV 1.0.0"',
        "",
        '1,"drv","id","RPM","rpm","Engine speed","#FF0000"',
        '2,"drv","id","MAP","kPa","",""',
        '3,"drv","id","Flags","","",""',
        "",
        '"Time(ms)","Signal","Value"',
    ]
    for i in range(40):
        lines.append(f"{i * 50},1,{1500 + 10 * i}")
        if i % 2 == 0:
            lines.append(f"{i * 50},2,{40 + i}")
        if i % 10 == 0:
            lines.append(f"{i * 50},3,{0x260 + i:X}")
    return ("\n".join(lines) + "\n").encode()


def capture_log() -> bytes:
    rows = [
        f'"2025-12-18 22:56:{53 + i // 20:02d}.{i % 20 * 50:03d}","{900 + i}.0","14.68","{i % 5}.0"'
        for i in range(40)
    ]
    return text_log('"Timestamp","Engine Speed","Desired Lambda","chan_4"', rows)


def accessport_log() -> bytes:
    head = "Time (sec),RPM (RPM),Man Abs Press (kPa),AP Info:[AP3-X v1][Some car][Stage 1.ptm]"
    rows = [f"{i * 0.05:.3f},{900 + i},{40 + i * 0.1:.2f},0" for i in range(40)]
    return text_log(head, rows)


Field = tuple[int, str, str, float, float]
MLG_FIELDS: tuple[Field, ...] = (
    (7, "Time", "s", 1.0, 0.0),
    (2, "RPM", "rpm", 1.0, 0.0),
    (0, "AFR", "O2", 0.1, 0.0),
    (1, "Advance", "deg", 1.0, 0.0),
    (0, "CLT", "C", 1.0, -40.0),
)
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "q", 7: "f", 10: "B"}


def mlg_log(
    rows: Sequence[Row] | None = None,
    *,
    fields: Sequence[Field] = MLG_FIELDS,
    markers: dict[int, str] | None = None,
    version: int = 1,
    ticks: Sequence[int] | None = None,
) -> bytes:
    """A binary log with raw field values; *markers* by the record they stand before."""
    if rows is None:
        rows = [(i * 0.05, 900 + i, 140 + i % 9, 20, 125) for i in range(40)]
    entry = struct.Struct(">B34s10sBffb" + ("34x" if version == 2 else ""))
    head = struct.Struct(">6shIIIHH" if version == 2 else ">6shIHIHH")
    record = struct.Struct(">" + "".join(_CODES[kind] for kind, *_ in fields))
    info = b'"made for a test"\0'
    info_at = head.size + len(fields) * entry.size
    data = head.pack(
        b"MLVLG\0", version, 1_600_000_000, info_at, info_at + len(info), record.size, len(fields)
    )
    for kind, name, units, scale, transform in fields:
        data += entry.pack(kind, name.encode(), units.encode(), 0, scale, transform, 1)
    data += info
    counter = 0
    for i, row in enumerate(rows):
        if markers and i in markers:
            data += struct.pack(">BBH50s", 1, counter % 256, 0, markers[i].encode())
            counter += 1
        body = record.pack(*row)
        tick = ticks[i] if ticks else i * 5000 % 65536
        data += struct.pack(">BBH", 0, counter % 256, tick) + body
        data += bytes([sum(body) % 256])
        counter += 1
    return data


def wp8_log() -> bytes:
    channels = b""
    for name, units in (("Engine RPM", "rpm"), ("Power", "hp")):
        body = b"\x08\x00" + b"\x12" + bytes([len(name)]) + name.encode()
        body += b"\x1a" + bytes([len(units)]) + units.encode() + b"\x3a\x03CPU"
        channels += b"\x0a" + bytes([len(body)]) + body
    return b"\xfe\xce\xfa\xce" + channels + b"\x12\x40" + bytes(64)


def generic_log() -> bytes:
    rows = [
        f"{i * 0.05:.2f};{1500 + 10 * i};{12.5 + 0.01 * i:.2f}".replace(".", ",") for i in range(40)
    ]
    return text_log("Time;RPM;AFR", rows)


SAMPLES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "session": ("live.csv", session_log),
    "dynojet": ("run.csv", dynojet_log),
    "powervision": ("PV_Logfile_1.csv", powervision_log),
    "jetdrive_capture": ("jetdrive_log.csv", capture_log),
    "accessport": ("datalog1.csv", accessport_log),
    "mlg": ("drive.mlg", mlg_log),
    "wp8": ("run.wp8", wp8_log),
    "csv": ("log.csv", generic_log),
}
NAMES_ONLY = frozenset({"wp8"})


def write(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path

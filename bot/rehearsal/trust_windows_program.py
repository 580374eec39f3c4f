"""The smallest Windows programs, and the table of signatures at their end.

https://learn.microsoft.com/en-us/windows/win32/debug/pe-format
"""

import struct
from typing import Final

_NEW_HEADER: Final = 0x40
_OPTIONAL: Final = _NEW_HEADER + 24
_CHECKSUM: Final = _OPTIONAL + 64
_TABLE_ENTRY: Final = _OPTIONAL + 144
"""Where the 64-bit optional header tells the place of the signatures."""

_FILE_ALIGNMENT: Final = 0x200
_PAGE: Final = 0x1000
_RETURN_ZERO: Final = b"\x31\xc0\xc3"
_TABLE_ALIGNMENT: Final = 8


def small_program(content: bytes = b"") -> bytes:
    """Return a program for 64-bit Windows that ends at once; ``content`` lies behind its code, so that two can differ."""
    code = _RETURN_ZERO + content
    code += bytes(-len(code) % _FILE_ALIGNMENT)
    image = _PAGE + len(code) + -len(code) % _PAGE
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", _NEW_HEADER)
    machine = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
    sizes = struct.pack("<HBBIIIII", 0x20B, 14, 0, len(code), 0, 0, _PAGE, _PAGE)
    layout = struct.pack("<QIIHHHHHHIIII", 0x1_4000_0000, _PAGE, _FILE_ALIGNMENT, 6, 0, 0, 0, 6, 0, 0, image, _FILE_ALIGNMENT, 0)
    memory = struct.pack("<HHQQQQII", 3, 0x8160, 0x10_0000, _PAGE, 0x10_0000, _PAGE, 0, 16)
    section = struct.pack("<8sIIIIIIHHI", b".text", len(code), _PAGE, len(code), _FILE_ALIGNMENT, 0, 0, 0, 0, 0x6000_0020)
    headers = start + machine + sizes + layout + memory + bytes(16 * 8) + section
    return _summed(headers.ljust(_FILE_ALIGNMENT, b"\0") + code)


def signature_of(program: bytes) -> bytes:
    """Return the first signature of a program of ours, in DER and with its padding."""
    place, _ = struct.unpack_from("<II", program, _TABLE_ENTRY)
    (length,) = struct.unpack_from("<I", program, place)
    return program[place + 8 : place + length]


def with_signature(program: bytes, signature: bytes) -> bytes:
    """Return a signed program of ours with another signature instead."""
    place, _ = struct.unpack_from("<II", program, _TABLE_ENTRY)
    padded = signature + bytes(-len(signature) % _TABLE_ALIGNMENT)
    table = struct.pack("<IHH", 8 + len(padded), 0x200, 2) + padded
    changed = bytearray(program[:place] + table)
    struct.pack_into("<II", changed, _TABLE_ENTRY, place, len(table))
    return _summed(bytes(changed))


def _summed(program: bytes) -> bytes:
    """Return the program with its checksum: all 16-bit words added with carry, and the length."""
    blank = program[:_CHECKSUM] + bytes(4) + program[_CHECKSUM + 4 :]
    total = sum(struct.unpack(f"<{len(blank) // 2}H", blank[: len(blank) // 2 * 2])) + (blank[-1] if len(blank) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return blank[:_CHECKSUM] + struct.pack("<I", total + len(blank)) + blank[_CHECKSUM + 4 :]

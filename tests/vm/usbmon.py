#!/usr/bin/env python3
"""Makes the text of a USB capture from what /dev/usbmonN gives.

    cat /dev/usbmon1 > capture.bin         # while the rescue runs
    usbmon.py capture.bin [KEY=VALUE ...] > capture.usbmon

The form is the kernel's own text form "1u" [Documentation/usb/usbmon.rst], which cuts data at 32
bytes; here every byte is kept, URB tags are numbered, and times begin at 0. Lines that begin with
`#` carry what the capture itself does not say.
"""

import struct
import sys

# struct mon_bin_hdr as read(2) gives it, 48 bytes [linux drivers/usb/mon/mon_bin.c].
HEADER = struct.Struct("<QBBBBHBBqiiII8s")
KINDS = "ZICB"
IN = 0x80


def words(data):
    """Data in groups of four bytes, as the kernel writes it."""
    return " ".join(data[at : at + 4].hex() for at in range(0, len(data), 4))


def events(raw):
    at = 0
    while at + HEADER.size <= len(raw):
        fields = HEADER.unpack_from(raw, at)
        data = raw[at + HEADER.size :][: fields[12]]
        at += HEADER.size + fields[12]
        yield fields, data


def text(raw):
    tags, began = {}, None
    for fields, data in events(raw):
        urb, kind, transfer, endpoint, device, bus, has_setup, no_data, sec, usec, status, length, _, setup = fields
        tag = tags.setdefault(urb, f"u{len(tags) + 1:04}")
        began = began if began is not None else sec * 1_000_000 + usec
        direction = "i" if endpoint & IN else "o"
        line = f"{tag} {sec * 1_000_000 + usec - began} {chr(kind)} "
        line += f"{KINDS[transfer]}{direction}:{bus}:{device:03}:{endpoint & 15} "
        if kind == ord("S") and has_setup == 0:
            request, number, value, index, wlength = struct.unpack("<BBHHH", setup)
            line += f"s {request:02x} {number:02x} {value:04x} {index:04x} {wlength:04x} {length}"
        else:
            line += f"{status} {length}"
        if data:
            line += f" = {words(data)}"
        elif no_data:
            line += f" {chr(no_data)}"
        yield line


def main():
    path, *notes = sys.argv[1:]
    with open(path, "rb") as file:
        raw = file.read()
    for note in notes:
        print("# " + note.replace("=", ": ", 1))
    for line in text(raw):
        print(line)


main()

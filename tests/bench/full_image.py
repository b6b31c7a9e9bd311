#!/usr/bin/env python3
"""A program whose C2 image fills an EEPROM: a small one, and padding that no two pages share. Its
own gaps of zeros are filled as well, so that every page differs from an empty part.

    full_image.py program.bin EEPROM_BYTES > padded.bin

The image that `recover image build` makes has 8 bytes of header, 4 before every 1023 of the
program, and 5 at the end.
"""

import hashlib
import itertools
import sys

HEADER, RECORD, LAST, MOST = 8, 4, 5, 1023


def main():
    path, size = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as file:
        memory = bytearray(file.read().rstrip(b"\0"))
    room = size - HEADER - LAST
    length = next(n for n in range(room, 0, -1) if n + RECORD * -(-n // MOST) == room)
    blocks = (hashlib.sha256(number.to_bytes(4, "big")).digest() for number in itertools.count())
    for at in range(0, len(memory), 32):
        if not any(memory[at : at + 32]):
            memory[at : at + 32] = next(blocks)
    while len(memory) < length:
        memory.extend(next(blocks))
    sys.stdout.buffer.write(memory[:length])


main()

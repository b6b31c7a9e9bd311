#!/usr/bin/env python3
"""A program as long as an EEPROM takes: the code of a C2 image, and padding that no two pages share.

    full_image.py factory.iic EEPROM_BYTES > program.bin

Records [TRM FX2 3.4]: length (bit 15: the last one), address, data, big-endian, after 8 bytes of
header. A record that `recover image build` makes carries 1023 bytes; the last one is 5 bytes long.
"""

import hashlib
import sys

HEADER, RECORD, LAST, MOST = 8, 4, 5, 1023


def code(image):
    memory, at = bytearray(), HEADER
    while True:
        length, address = int.from_bytes(image[at : at + 2], "big"), int.from_bytes(image[at + 2 : at + 4], "big")
        if length & 0x8000:
            return memory
        data = image[at + RECORD :][:length]
        memory.extend(bytes(max(0, address + length - len(memory))))
        memory[address : address + length] = data
        at += RECORD + length


def main():
    path, size = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as file:
        memory = code(file.read())
    room = size - HEADER - LAST
    length = next(n for n in range(room, 0, -1) if n + RECORD * -(-n // MOST) == room)
    number = 0
    while len(memory) < length:
        memory.extend(hashlib.sha256(number.to_bytes(4, "big")).digest())
        number += 1
    sys.stdout.buffer.write(memory[:length])


main()

#!/usr/bin/env python3
"""Writes an image with PyPI's fx2 library and the loader that comes with it.

    fx2_library.py IMAGE PAGE_BYTES CHUNK_BYTES

A chunk is what one transfer carries. fx2's documentation recommends the part's page, and for chunks
a small multiple of it.
"""

import sys
from pathlib import Path

import fx2
from fx2.format import input_data


def main():
    path, page, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    image = Path(path).read_bytes()
    device = fx2.FX2Device()
    with open(Path(fx2.__file__).parent / "boot-cypress.ihex", "rb") as loader:
        device.load_ram(input_data(loader))
    # The library takes the logarithm of the page's bytes.
    device.write_boot_eeprom(0, image, 2, chunk_size=chunk, page_size=page.bit_length() - 1)


main()

#!/usr/bin/env python3
"""Writes an image with PyPI's fx2 library and the loader that comes with it, a page in every chunk.

    fx2_library.py image PAGE_BYTES
"""

import sys
from pathlib import Path

import fx2
from fx2.format import input_data


def main():
    path, page = sys.argv[1], int(sys.argv[2])
    image = Path(path).read_bytes()
    device = fx2.FX2Device()
    with open(Path(fx2.__file__).parent / "boot-cypress.ihex", "rb") as loader:
        device.load_ram(input_data(loader))
    device.write_boot_eeprom(0, image, 2, chunk_size=page, page_size=page.bit_length() - 1)


main()

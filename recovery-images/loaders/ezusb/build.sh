#!/bin/sh
# Builds both loaders into the folder named, by default this one. Needs Debian's sdcc (the committed
# files were built with 4.2.0+dfsg-1); `build.sh --check` compares with the committed files.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check=no
out=$here
case "${1:-}" in
--check) check=yes out=$work/out && mkdir "$out" ;;
?*) out=$1 ;;
esac

# Code from 0, variables from 0E00: all of it fits the 4 KB of the smallest AN21xx.
build() {
    name=$1 map=$2
    mkdir "$work/$name"
    for part in main endpoint_zero eeprom i2c; do
        sdcc -mmcs51 --std-c11 --model-small -D "$map" -c "$here/$part.c" -o "$work/$name/$part.rel"
    done
    cd "$work/$name"
    sdcc -mmcs51 --model-small --code-loc 0 --code-size 0xDE0 --xram-loc 0xE00 --xram-size 0x200 \
        --iram-size 0x100 -o loader.ihx main.rel endpoint_zero.rel eeprom.rel i2c.rel
    # In two steps: a pipe would tell only how `tr` ended.
    packihx loader.ihx 2>/dev/null >packed.ihex
    tr -d '\r' <packed.ihex >"$out/$name.ihex"
}

build e6 EZUSB_MAP_E6
build 7f EZUSB_MAP_7F
if [ $check = yes ]; then
    for name in e6 7f; do
        cmp "$out/$name.ihex" "$here/$name.ihex"
    done
    echo "the committed loaders are what the source builds"
fi

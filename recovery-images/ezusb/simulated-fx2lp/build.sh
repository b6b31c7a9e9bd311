#!/bin/sh
# Builds the firmware of the simulated enclosures as Intel HEX into the folder named. Needs Debian's
# sdcc 4.2.0+dfsg-1. The images are then made by
#   recover image build --chip CHIP --ids 1209:000N --revision 0100 --firmware CHIP.ihex \
#       --output recovery-images/ezusb/simulated-CHIP/factory.iic
# with N as below, and --set 07=41 for fx2lp, fx2 and fx1, --set 07=01 for fx.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
    name=$1 id=$2 letters=$3 product=$4
    shift 4
    cd "$work"
    for part in firmware disk; do
        sdcc -mmcs51 --std-c11 --model-small --opt-code-size "$@" -D "PRODUCT_ID=$id" -D "PRODUCT=$product" \
            -D "PRODUCT_LETTERS=$letters" -c -o "$part.rel" "$here/$part.c"
    done
    sdcc -mmcs51 --std-c11 --model-small --code-loc 0 --code-size 0x1100 --xram-loc 0x1180 \
        --xram-size 0x80 --iram-size 0x100 -o "$name.ihx" firmware.rel disk.rel
    # In two steps: a pipe would tell only how `tr` ended.
    packihx "$name.ihx" 2>/dev/null >packed.ihex
    tr -d '\r' <packed.ihex >"$out/$name.ihex"
}

build fx2lp 1 5 "'F',0,'X',0,'2',0,'L',0,'P',0" -D EZUSB_MAP_E6 -D HIGH_SPEED
build an2131 2 6 "'A',0,'N',0,'2',0,'1',0,'3',0,'1',0" -D EZUSB_MAP_7F
build fx2 3 3 "'F',0,'X',0,'2',0" -D EZUSB_MAP_E6 -D HIGH_SPEED
build fx1 4 3 "'F',0,'X',0,'1',0" -D EZUSB_MAP_E6
build fx 5 2 "'F',0,'X',0" -D EZUSB_MAP_7F

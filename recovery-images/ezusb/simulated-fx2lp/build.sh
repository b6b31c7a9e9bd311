#!/bin/sh
# Builds the firmware of both simulated enclosures as Intel HEX into the folder named. Needs Debian's
# sdcc 4.2.0+dfsg-1. The images are then made by
#   recover image build --chip fx2lp --ids 1209:0001 --revision 0100 --set 07=41 \
#       --firmware fx2lp.ihex --output recovery-images/ezusb/simulated-fx2lp/factory.iic
#   recover image build --chip an2131 --ids 1209:0002 --revision 0100 \
#       --firmware an2131.ihex --output recovery-images/ezusb/simulated-an2131/factory.iic
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
    cd "$work"
    sdcc -mmcs51 --std-c11 --model-small -D "$2" --code-loc 0 --code-size 0xDE0 --xram-loc 0xE00 \
        --xram-size 0x200 --iram-size 0x100 -o "$1.ihx" "$here/firmware.c"
    packihx "$1.ihx" 2>/dev/null | tr -d '\r' >"$out/$1.ihex"
}

build fx2lp EZUSB_MAP_E6
build an2131 EZUSB_MAP_7F

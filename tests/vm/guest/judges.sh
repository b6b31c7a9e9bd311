# Other people's programs, an ordinary user, and more than one enclosure.
# shellcheck shell=bash

readonly SIGROK=/usr/share/sigrok-firmware
readonly EZUSB=$REPOSITORY/recovery-images/ezusb

node() { printf '/dev/bus/usb/%03d/%03d' "$(cat "/sys/bus/usb/devices/$1/busnum")" "$(cat "/sys/bus/usb/devices/$1/devnum")"; }
fx2tool() { PYTHONPATH=$FX2TOOL python3 -m fx2.fx2tool "$@"; }
as_hex() { objcopy -I binary -O ihex "$SIGROK/$1" "$DESK/firmware.ihx"; }

check_three_blank_enclosures_are_not_chosen_between() {
    local code=0
    attach sl11r-zeroed at2lp-rc42 ezusb-blank
    wait_for "${PORTS[0]}" 04ce:07d1
    wait_for "${PORTS[1]}" 04b4:6830
    wait_for "${PORTS[2]}" 04b4:8613
    "$RECOVER" list
    "$RECOVER" --auto 2>"$DESK/error" || code=$?
    cat "$DESK/error"
    [ "$code" = 4 ]
    for port in "${PORTS[@]}"; do grep -q -- "recover --auto --port $port" "$DESK/error"; done
}

# What udevd would do with the printed rule, in its place, for one port. Nothing is started as long
# as nothing has changed: an emulated processor takes its time for that.
udev_by_hand() {
    local device=/sys/bus/usb/devices/$1 vendor product bus number new done="" group mode rules
    rules=$(<"$DESK/rules")
    group=$(sed -nE '0,/GROUP=/s/.*GROUP="([a-z]+)".*/\1/p' "$DESK/rules")
    mode=$(sed -nE '0,/MODE=/s/.*MODE="([0-9]+)".*/\1/p' "$DESK/rules")
    while read -rt 0.05 <>"$DESK/never" || true; do
        { read -r vendor <"$device/idVendor" && read -r product <"$device/idProduct" &&
            read -r bus <"$device/busnum" && read -r number <"$device/devnum"; } || continue
        printf -v new '/dev/bus/usb/%03d/%03d' "$bus" "$number"
        [ "$new" = "$done" ] && continue
        [[ $rules == *"{idVendor}==\"$vendor\", ATTR{idProduct}==\"$product\""* ]] || continue
        chgrp "$group" "$new" && chmod "$mode" "$new" && done=$new
    done 2>/dev/null
}
belongs_to() { [ "$(stat -c %G "$(node "$1")")" = "$2" ]; }

check_an_ordinary_user_needs_the_printed_rule_and_nothing_else() {
    local code=0 root=$RECOVER
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    mkdir -m 777 "$RECOVER_HOME"
    printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --groups "$(getent group plugdev | cut -d: -f3)" "%s" "$@"\n' "$root" >"$DESK/as-user"
    chmod 755 "$DESK/as-user" "$DESK"
    "$DESK/as-user" diagnose --port "$PORT" 2>"$DESK/error" || code=$?
    cat "$DESK/error"
    [ "$code" = 1 ]
    grep -q 'error\[R401\]' "$DESK/error"
    grep -q '`recover udev-rules` prints it' "$DESK/error"
    "$root" udev-rules >"$DESK/rules"
    grep -q '^#   recover udev-rules | sudo tee /etc/udev/rules.d/' "$DESK/rules"
    mkfifo "$DESK/never"
    udev_by_hand "$PORT" &
    echo $! >>"$DESK/players"
    wait_until 20 belongs_to "$PORT" plugdev
    USER_RECOVER=$DESK/as-user recover_with_hands "$PORT" --auto --image "$REPOSITORY/recovery-images/cy16/simulated-sl11r/factory.bin"
    wait_for "$PORT" 04ce:0002
}

check_fxload_starts_firmware() {
    attach ezusb-blank
    wait_for "$PORT" 04b4:8613
    as_hex fx2lafw-sigrok-fx2-8ch.fw
    fxload -v -t fx2lp -D "$(node "$PORT")" -I "$DESK/firmware.ihx"
    wait_for "$PORT" 1d50:608c
    expect 'iManufacturer +[0-9]+ sigrok' lsusb -v -d 1d50:608c
}

check_cycfx2prog_starts_firmware() {
    attach ezusb-blank
    wait_for "$PORT" 04b4:8613
    as_hex fx2lafw-sigrok-fx2-16ch.fw
    cycfx2prog "prg:$DESK/firmware.ihx" run
    wait_for "$PORT" 1d50:608d
    expect 'iSerial +[0-9]+ sigrok FX2 16ch' lsusb -v -d 1d50:608d
}

check_fx2tool_programs_and_dumps_the_eeprom() {
    attach ezusb-blank
    wait_for "$PORT" 04b4:8613
    as_hex fx2lafw-sigrok-fx2-8ch.fw
    fx2tool -B program -W 2 -p 32 -V 1d50 -P 608c -D 0001 -f "$DESK/firmware.ihx"
    status
    fx2tool -B read_eeprom -W 2 -f "$DESK/dump.bin" 0 64
    od -An -tx1 -N16 "$DESK/dump.bin"
    [ "$(od -An -tx1 -N7 "$DESK/dump.bin")" = " c2 50 1d 8c 60 01 00" ]
    fx2tool -B dump -W 2 -f "$DESK/dumped.ihx"
    # What it wrote is what the chip boots from.
    power "$PORT" off
    wait_until 5 gone "$PORT"
    power "$PORT" on
    wait_for "$PORT" 1d50:608c
}

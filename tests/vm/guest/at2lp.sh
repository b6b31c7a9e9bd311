# Cypress AT2LP: the kernel's own mass-storage drivers behind a rescued bridge.
# shellcheck shell=bash

readonly REFERENCE=cypress-cy4615b

check_a_wiped_at2lp_is_an_rc42() {
    attach at2lp-rc42
    wait_for "$PORT" 04b4:6830
    expect 'iProduct +[0-9]+ Cypress AT2LP RC42' lsusb -v -d 04b4:6830
    expect "high-speed USB device" dmesg
    cat "$DESK/output"; lsusb -v -d 04b4:6830
}

check_ums_cypress_is_taken_off_and_given_back() { gives_back at2lp-rc42 04b4:6830 ums-cypress; }

check_usb_storage_is_taken_off_and_given_back() { gives_back at2lp-healthy-oem 1209:6830 usb-storage --as at2lp; }

check_a_wiped_at2lp_is_rescued_and_its_disk_is_there() {
    rescued at2lp-rc42 04b4:6830 04b4:6830 'Cypress AT2LP' --profile "$REFERENCE"
    wait_until 20 test -b /dev/sda
    "$RECOVER" sim show at2lp-rc42 --medium "$DESK/medium" >/dev/null
    head -c "$(stat -c %s "$DESK/medium")" /dev/sda | cmp - "$DESK/medium"
    [ "$(blockdev --getsz /dev/sda)" = 488397168 ]
    # A sector far out, to see that addresses arrive whole: sector n holds n, big-endian.
    [ "$(dd if=/dev/sda bs=512 skip=305419896 count=1 status=none | od -An -tx1 -N4)" = " 12 34 56 78" ]
    expect 'Product identification:' sg_inq /dev/sda
    smartctl -i -d usbcypress /dev/sda || true
    expect 'Device Model|Model Number' smartctl -i -d usbcypress /dev/sda
}

check_a_burner_behind_the_bridge_reads_its_disc() {
    rescued at2lp-atapi 04b4:6830 04b4:6830 'Cypress AT2LP' --profile "$REFERENCE"
    wait_until 20 test -b /dev/sr0
    "$RECOVER" sim show at2lp-atapi --medium "$DESK/medium" >/dev/null
    wait_until 10 readable /dev/sr0
    head -c "$(stat -c %s "$DESK/medium")" /dev/sr0 | sha256sum
    sha256sum <"$DESK/medium"
    cmp /dev/sr0 "$DESK/medium"
    expect 'CD-RW' sg_inq /dev/sr0
    mkdir "$DESK/disc"
    mount -o ro /dev/sr0 "$DESK/disc"
    grep -q 'The drive behind the bridge answers' "$DESK"/disc/*
    umount "$DESK/disc"
}
readable() { dd if="$1" of=/dev/null bs=2048 count=1; }

check_an_unplugged_at2lp_is_rescued_by_the_same_command() {
    survives at2lp-rc42 04b4:6830 04b4:6830 --profile "$REFERENCE"
}

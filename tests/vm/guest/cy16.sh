# ScanLogic SL11R, Cypress EZ-OTG.
# shellcheck shell=bash

check_without_the_module_the_error_names_it() {
    ! "$RECOVER" sim attach sl11r-zeroed 2>"$DESK/error"
    grep -q 'error\[R601\]' "$DESK/error"
    grep -q 'modprobe vhci-hcd' "$DESK/error"
    modprobe -d /mnt vhci-hcd
}

check_a_blank_sl11r_enumerates_as_its_mask_rom() {
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    expect "idVendor=04ce, idProduct=07d1, bcdDevice= 0.00" dmesg
    lsusb -v -d 04ce:07d1
    dmesg
}

check_a_blank_sl11r_is_rescued() {
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    recover_with_hands "$PORT" --auto --image "$REPOSITORY/recovery-images/cy16/simulated-sl11r/factory.bin"
    cat "$DESK/events"
    expect 'iProduct +[0-9]+ USBIDE \(virtual\)' lsusb -v -d 04ce:0002
    expect "idVendor=04ce, idProduct=0002" dmesg
    status
}

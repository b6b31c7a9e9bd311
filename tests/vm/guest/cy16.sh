# ScanLogic SL11R, Cypress EZ-OTG; and what is the same for every family.
# shellcheck shell=bash

readonly CY16=$REPOSITORY/recovery-images/cy16

check_without_the_module_the_error_names_it() {
    ! "$RECOVER" sim attach sl11r-zeroed 2>"$DESK/error" || return 1
    grep -q 'error\[R701\]' "$DESK/error"
    grep -q 'modprobe vhci-hcd' "$DESK/error"
    modprobe -d /mnt vhci-hcd
}

check_an_ordinary_user_cannot_plug_in() {
    ! setpriv --reuid 65534 --regid 65534 --clear-groups "$RECOVER" sim attach sl11r-zeroed 2>"$DESK/error" || return 1
    grep -q 'only root' "$DESK/error"
}

check_a_blank_sl11r_looks_like_its_mask_rom() {
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    # chips: §5.1; what the ROM of an EZ-OTG says besides its ids.
    describes 04ce:07d1 "bcdUSB 2.00" "bDeviceClass 255" "bMaxPacketSize0 8" \
        "bcdDevice 0.00" "bNumInterfaces 1" "bNumEndpoints 2" \
        "bEndpointAddress 0x01 EP 1 OUT" "bEndpointAddress 0x82 EP 2 IN"
    expect "full-speed USB device" dmesg
}

check_a_blank_ez_otg_looks_like_its_mask_rom() {
    attach ez-otg-blank
    wait_for "$PORT" 04b4:7200
    describes 04b4:7200 "bcdUSB 2.00" "bDeviceClass 255" "bMaxPacketSize0 8" \
        "bcdDevice 0.00" "bNumInterfaces 1" "bNumEndpoints 2" \
        "bEndpointAddress 0x01 EP 1 OUT" "bEndpointAddress 0x82 EP 2 IN"
}

check_a_blank_sl11r_is_rescued() {
    rescued sl11r-zeroed 04ce:07d1 04ce:0002 'USBIDE \(virtual\)' --image "$CY16/simulated-sl11r/factory.bin"
}

check_a_blank_ez_otg_is_rescued() {
    rescued ez-otg-blank 04b4:7200 04b4:5a4e '.*' --image "$CY16/simulated-ez-otg/factory.bin"
}

check_an_unplugged_sl11r_is_rescued_by_the_same_command() {
    survives sl11r-zeroed 04ce:07d1 04ce:0002 --image "$CY16/simulated-sl11r/factory.bin"
}

check_a_port_that_loses_its_power_takes_it_from_the_device() {
    local switch
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    switch=/sys/bus/usb/devices/${PORT%-*}-0:1.0/usb${PORT%-*}-port${PORT#*-}/disable
    echo 1 >"$switch"
    wait_until 5 gone "$PORT"
    wait_until 5 status_says '"powered":false'
    echo 0 >"$switch"
    wait_for "$PORT" 04ce:07d1
    status_says '"powered":true'
    cat "$DESK/transfers"
}
status_says() { status | grep -q "$1"; }

check_an_enclosure_that_is_detached_by_hand_is_unplugged() {
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    echo "$((${PORT#*-} - 1))" >/sys/devices/platform/vhci_hcd.0/detach
    wait_until 5 status_says '"plugged":false'
    wait_until 5 gone "$PORT"
    power "$PORT" on
    wait_for "$PORT" 04ce:07d1
}

# ScanLogic SL11R, Cypress EZ-OTG; and what is the same for every family.
# shellcheck shell=bash

readonly CY16=$REPOSITORY/recovery-images/cy16

check_without_the_module_the_error_names_it() {
    ! "$RECOVER" sim attach sl11r-zeroed 2>"$DESK/error" || return 1
    grep -q 'error\[R701\]' "$DESK/error"
    grep -q 'modprobe vhci-hcd' "$DESK/error"
}

check_an_ordinary_user_cannot_plug_in() {
    modprobe -d /mnt vhci-hcd
    ! setpriv --reuid 65534 --regid 65534 --clear-groups "$RECOVER" sim attach sl11r-zeroed 2>"$DESK/error" || return 1
    grep -q 'only root' "$DESK/error"
}

check_a_blank_sl11r_looks_like_its_mask_rom() {
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    # The ids are captured; the rest is the EZ-OTG's, at the USB revision of the chip's time.
    describes 04ce:07d1 "bcdUSB 1.00" "bDeviceClass 255" "bMaxPacketSize0 8" \
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
    # usb-storage takes the wrong tags of this firmware, and knows its drive.
    wait_until 20 test -b /dev/sr0
    expect 'Product identification: CD-RW  CRX100E' sg_inq /dev/sr0
    grep '"event":"drive"' "$DESK/events" | grep -q '"name":"SONY CD-RW CRX100E 1.0j"'
}

check_a_blank_ez_otg_is_rescued() {
    rescued ez-otg-blank 04b4:7200 04b4:7201 'EZ-OTG enclosure \(virtual\)' --image "$CY16/simulated-ez-otg/factory.bin"
}

check_an_unplugged_sl11r_is_rescued_by_the_same_command() {
    survives sl11r-zeroed 04ce:07d1 04ce:0002 --image "$CY16/simulated-sl11r/factory.bin"
}

check_a_port_that_loses_its_power_takes_it_from_the_device() {
    local switch number
    attach sl11r-zeroed
    wait_for "$PORT" 04ce:07d1
    number=$(cat "/sys/bus/usb/devices/$PORT/devnum")
    switch=/sys/bus/usb/devices/${PORT%-*}-0:1.0/usb${PORT%-*}-port${PORT#*-}/disable
    echo 1 >"$switch"
    wait_until 10 logged 'port power off'
    # Linux gives power back to a port whose device has left, "disabled" or not.
    wait_until 10 logged 'port power on'
    wait_for "$PORT" 04ce:07d1
    [ "$(cat "/sys/bus/usb/devices/$PORT/devnum")" != "$number" ]
    status | grep -q '"powered":true'
    echo 0 >"$switch"
}
logged() { grep -q "$1" "$DESK/transfers"; }
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

# Cypress FX2LP, AN2131.
# shellcheck shell=bash

readonly EZUSB=$REPOSITORY/recovery-images/ezusb

check_a_blank_fx2lp_is_the_default_device() {
    attach ezusb-blank
    wait_for "$PORT" 04b4:8613
    # chips: §1.2.
    describes 04b4:8613 "bcdUSB 2.00" "bDeviceClass 255" "bDeviceSubClass 255" "bDeviceProtocol 255" \
        "bMaxPacketSize0 64" "bcdDevice a0.01" "iManufacturer 0" "iProduct 0" "iSerial 0" \
        "bNumConfigurations 1" "wTotalLength 0x00ab" "bNumInterfaces 1" "MaxPower 100mA" \
        "bAlternateSetting 3" "bNumEndpoints 6"
    [ "$(grep -c 'bEndpointAddress' "$DESK/lsusb")" = 18 ]
    expect "high-speed USB device" dmesg
}

check_a_blank_an2131_is_the_default_device() {
    attach ezusb-an2131-blank
    wait_for "$PORT" 0547:2131
    describes 0547:2131 "bDeviceClass 255" "bMaxPacketSize0 64"
    expect "full-speed USB device" dmesg
}

check_usbtest_is_taken_off_and_given_back() { gives_back ezusb-blank 04b4:8613 usbtest; }

check_a_blank_fx2lp_is_rescued_and_its_disk_is_there() {
    rescued ezusb-blank 04b4:8613 1209:0001 'FX2LP enclosure \(virtual\)' --image "$EZUSB/simulated-fx2lp/factory.iic"
    wait_until 10 bound "$PORT" usb-storage
    wait_until 20 test -b /dev/sda
    [ "$(blockdev --getsz /dev/sda)" = 64 ]
    # Every byte of a sector is its number.
    [ "$(dd if=/dev/sda bs=512 skip=42 count=1 status=none | od -An -v -tx1 | tr -d ' \n')" = "$(printf '2a%.0s' {1..512})" ]
    expect 'Vendor identification: recover' sg_inq /dev/sda
    expect 'Product identification: DISK \(virtual\)' sg_inq /dev/sda
}

check_a_blank_an2131_is_rescued() {
    rescued ezusb-an2131-blank 0547:2131 1209:0002 'AN2131 enclosure \(virtual\)' --image "$EZUSB/simulated-an2131/factory.iic"
}

check_an_unplugged_fx2lp_is_rescued_by_the_same_command() {
    survives ezusb-blank 04b4:8613 1209:0001 --image "$EZUSB/simulated-fx2lp/factory.iic"
}

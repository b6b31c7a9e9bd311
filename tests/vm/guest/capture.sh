# Captures one rescue of each family with usbmon, for tests/transcripts. Not among the groups that
# run by themselves: `tests/vm/run capture`, then copy target/vm/capture/results/*.usbmon.
# shellcheck shell=bash

modprobe -d /mnt vhci-hcd
readonly IMAGES=$REPOSITORY/recovery-images

# captured NAME SCENARIO BLANK HEALTHY NOTES -- OPTIONS...
captured() {
    local name=$1 scenario=$2 blank=$3 healthy=$4 notes=()
    shift 4
    while [ "$1" != -- ]; do notes+=("$1"); shift; done
    shift
    # The root hub's bus exists before anything is plugged in.
    local bus
    bus=$(cat /sys/devices/platform/vhci_hcd.0/usb*/busnum | sed -n 1p)
    cat "/dev/usbmon$bus" >"$DESK/capture.bin" &
    echo $! >>"$DESK/players"
    attach "$scenario"
    wait_for "$PORT" "$blank"
    recover_with_hands "$PORT" --auto "$@"
    wait_for "$PORT" "$healthy"
    sleep 0.5
    python3 "$REPOSITORY/tests/vm/usbmon.py" "$DESK/capture.bin" \
        "scenario=$scenario" "port=$PORT" "kernel=$(uname -r)" "healthy=$healthy" "${notes[@]}" \
        >"/run/results/$name.usbmon"
    wc -l "/run/results/$name.usbmon" | sed 's/^/note: /'
}

check_cy16_is_captured() {
    captured cy16 sl11r-zeroed 04ce:07d1 04ce:0002 image=cy16/simulated-sl11r/factory.bin \
        -- --image "$IMAGES/cy16/simulated-sl11r/factory.bin"
}

check_ezusb_is_captured() {
    captured ezusb ezusb-blank 04b4:8613 1209:0001 image=ezusb/simulated-fx2lp/factory.iic \
        -- --image "$IMAGES/ezusb/simulated-fx2lp/factory.iic"
}

check_at2lp_is_captured() {
    captured at2lp at2lp-rc42 04b4:6830 04b4:6830 profile=cypress-cy4615b serial=0123456789AB \
        -- --profile cypress-cy4615b --serial 0123456789AB
}

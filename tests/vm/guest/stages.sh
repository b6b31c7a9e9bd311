# A whole rescue stage by stage: what the program logs and what the device logs, to be laid side by
# side. tests/bench/stages makes docs/stages.md of it.
# shellcheck shell=bash

modprobe -d /mnt vhci-hcd
readonly SIGROK=/usr/share/sigrok-firmware

# rescued_in_stages NAME OPTIONS...: 16 KiB into a 24LC128 behind an FX2LP.
rescued_in_stages() {
    local name=$1 kept
    shift
    python3 "$REPOSITORY/tests/bench/full_image.py" "$SIGROK/fx2lafw-sigrok-fx2-8ch.fw" 16384 >"$DESK/program.bin"
    "$RECOVER" image build --chip fx2lp --ids 1d50:608c --firmware "$DESK/program.bin" --output "$DESK/image.iic"
    attach ezusb-zeroed --unpaced
    wait_for "$PORT" 04b4:8613
    recover_with_hands "$PORT" -vv --auto --profile generic-fx2lp --image "$DESK/image.iic" "$@"
    grep -q '"result":"rescued"' "$DESK/events"
    for kept in events stderr transfers; do cp "$DESK/$kept" "/run/results/$name.$kept"; done
}

check_a_rescue_without_trial_tells_its_stages() { rescued_in_stages no-trial --no-trial; }
check_a_rescue_with_trial_tells_its_stages() { rescued_in_stages trial; }

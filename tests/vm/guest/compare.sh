# The same work on the same virtual device by this program and by others: transfers, write cycles,
# device time, CPU, memory. tests/bench/side_by_side makes docs/benchmarks.md of what is measured.
# shellcheck shell=bash

modprobe -d /mnt vhci-hcd
readonly SIGROK=/usr/share/sigrok-firmware
readonly MEASURED=/run/results/measured.jsonl

node() { printf '/dev/bus/usb/%03d/%03d' "$(cat "/sys/bus/usb/devices/$1/busnum")" "$(cat "/sys/bus/usb/devices/$1/devnum")"; }

# A command whose CPU time and memory go to $DESK/usage: a small program is between, so that the
# shell's own memory is not taken for the command's.
metered() { /usr/bin/time -o "$DESK/usage" -f '"wall_s":%e,"user_s":%U,"system_s":%S,"peak_kib":%M' "$@"; }

# record WORK WHO TRANSFERS CYCLES DEVICE_MS: one measured line.
record() {
    printf '{"work":"%s","who":"%s","transfers":%s,"write_cycles":%s,"device_ms":%s,%s}\n' \
        "$1" "$2" "$3" "$4" "$5" "$(tail -n 1 "$DESK/usage")" | tee -a "$MEASURED" | sed 's/^/note: /'
}

# How many transfers of the log fit, and how many milliseconds of the device they took.
spent() { awk -v what="$1" '$0 ~ what { count += 1; ms += substr($3, 2) * 1000 } END { print count, ms }' "$DESK/transfers"; }

# The image that all of them write: firmware and padding, as long as the 24LC128.
make_image() {
    python3 "$REPOSITORY/tests/bench/full_image.py" "$SIGROK/fx2lafw-sigrok-fx2-8ch.fw" 16384 >"$DESK/program.bin"
    "$RECOVER" image build --chip fx2lp --ids 1d50:608c --firmware "$DESK/program.bin" --output "$DESK/image.iic"
    [ "$(stat -c %s "$DESK/image.iic")" = 16384 ]
}

cycles() { status | sed -E 's/.*"write_cycles":([0-9]+).*/\1/'; }
holds_image() { [ "$(status | sed -E 's/.*"sha256":"([0-9a-f]+)".*/\1/')" = "$(sha256sum <"$DESK/image.iic" | cut -d' ' -f1)" ]; }

# Vendor requests that carry bytes for the EEPROM: ours bc, the field's a2 and a9.
readonly WRITES='control out 40 (bc|a9|a2) '

check_this_program_writes_16_kib() {
    make_image
    attach ezusb-zeroed --unpaced
    wait_for "$PORT" 04b4:8613
    printf '#!/bin/sh\nexec /usr/bin/time -o "%s" -f "\\"wall_s\\":%%e,\\"user_s\\":%%U,\\"system_s\\":%%S,\\"peak_kib\\":%%M" "%s" "$@"\n' \
        "$DESK/usage" "$RECOVER" >"$DESK/metered"
    chmod 755 "$DESK/metered"
    USER_RECOVER=$DESK/metered recover_with_hands "$PORT" --auto --no-trial --profile generic-fx2lp --image "$DESK/image.iic"
    holds_image
    read -r transfers ms < <(spent "$WRITES")
    record "write 16 KiB" "recover --auto" "$transfers" "$(cycles)" "$ms"
    # The whole of it: proof, backup, trial, writing, reading back, confirmation.
    record "whole rescue, 16 KiB" "recover --auto" "$(status | field transfers)" "$(cycles)" "$(status | field transfer_time_ms)"
    [ "$(cycles)" = 258 ] || { echo "write cycles"; return 1; }
    [ "$(sed -E 's/.*"peak_kib":([0-9]+).*/\1/' "$DESK/usage")" -lt 20480 ] || { echo "20 MB"; return 1; }
}

# fx2tool OPTIONS...: writes the image with these.
by_fx2tool() {
    local name=$1 address="$DESK"
    shift
    make_image
    attach ezusb-zeroed --unpaced
    wait_for "$PORT" 04b4:8613
    export PYTHONPATH=$FX2TOOL
    metered python3 -m fx2.fx2tool -F bin -B write_eeprom -W 2 "$@" -f "$address/image.iic"
    holds_image || echo "note: fx2tool $name left other bytes in the EEPROM than it was given"
    read -r transfers ms < <(spent "$WRITES")
    record "write 16 KiB" "fx2tool $name" "$transfers" "$(cycles)" "$ms"
}
# Every page size up to the part's; 2 is what it does by default. With 1 it would send chunks of no bytes without end.
check_fx2tool_writes_16_kib_by_default() { by_fx2tool "(its defaults)"; }
check_fx2tool_writes_16_kib_with_p_4() { by_fx2tool "-p 4" -p 4; }
check_fx2tool_writes_16_kib_with_p_8() { by_fx2tool "-p 8" -p 8; }
check_fx2tool_writes_16_kib_with_p_16() { by_fx2tool "-p 16" -p 16; }
check_fx2tool_writes_16_kib_with_p_32() { by_fx2tool "-p 32" -p 32; }
check_fx2tool_writes_16_kib_with_p_64() { by_fx2tool "-p 64" -p 64; }

# The library behind fx2tool, with whole pages and with as many bytes in a transfer as given: fx2tool
# itself sends chunks of four times the page size's logarithm, which tear pages.
by_fx2_library() {
    local chunk=$1
    make_image
    attach ezusb-zeroed --unpaced
    wait_for "$PORT" 04b4:8613
    export PYTHONPATH=$FX2TOOL
    metered python3 "$REPOSITORY/tests/bench/fx2_library.py" "$DESK/image.iic" 64 "$chunk"
    holds_image
    read -r transfers ms < <(spent "$WRITES")
    record "write 16 KiB" "fx2 library, pages of 64, chunks of $chunk" "$transfers" "$(cycles)" "$ms"
    [ "$(cycles)" = 256 ] || { echo "write cycles"; return 1; }
}
check_the_fx2_library_writes_16_kib_in_chunks_of_a_page() { by_fx2_library 64; }
check_the_fx2_library_writes_16_kib_in_chunks_of_4_kib() { by_fx2_library 4096; }

# Needs a second stage that writes EEPROMs, Cypress's Vend_Ax.hex, which cannot be handed on: measured
# only where RECOVER_VEND_AX names the user's copy.
check_fxload_writes_16_kib_where_the_user_has_its_second_stage() {
    [ -n "$VEND_AX" ] || { echo "note: not measured: RECOVER_VEND_AX names no second stage for fxload"; return 0; }
    make_image
    attach ezusb-zeroed --unpaced
    wait_for "$PORT" 04b4:8613
    objcopy -I binary -O ihex "$DESK/program.bin" "$DESK/program.ihx"
    metered fxload -t fx2lp -D "$(node "$PORT")" -s "$VEND_AX" -c 0x00 -I "$DESK/program.ihx"
    [ "$(cycles)" -gt 0 ] || { echo "fxload wrote nothing"; return 1; }
    read -r transfers ms < <(spent "$WRITES")
    record "write 16 KiB" "fxload -s Vend_Ax.hex" "$transfers" "$(cycles)" "$ms"
}

# Who loads an 8 KB program into RAM, and with how many transfers.
readonly LOADS='control out 40 a0 '
program_8k() { head -c 8192 "$DESK/program.bin" >"$DESK/program-8k.bin"; objcopy -I binary -O ihex "$DESK/program-8k.bin" "$DESK/program.ihx"; }
loaded() {
    read -r transfers ms < <(spent "$LOADS")
    record "load 8 KB into RAM" "$1" "$transfers" 0 "$ms"
}

check_fxload_loads_8_kb() {
    make_image && program_8k
    attach ezusb-blank --unpaced
    wait_for "$PORT" 04b4:8613
    metered fxload -t fx2lp -D "$(node "$PORT")" -I "$DESK/program.ihx"
    loaded fxload
    wait_for "$PORT" 1d50:608c
}

check_cycfx2prog_loads_8_kb() {
    make_image && program_8k
    attach ezusb-blank --unpaced
    wait_for "$PORT" 04b4:8613
    metered cycfx2prog "prg:$DESK/program.ihx" run
    loaded cycfx2prog
    wait_for "$PORT" 1d50:608c
}

check_fx2tool_loads_8_kb() {
    make_image && program_8k
    attach ezusb-blank --unpaced
    wait_for "$PORT" 04b4:8613
    export PYTHONPATH=$FX2TOOL
    metered python3 -m fx2.fx2tool load "$DESK/program.ihx"
    loaded "fx2tool load"
    wait_for "$PORT" 1d50:608c
}

# Ours loads a program as a trial, and reads it back.
check_this_program_loads_8_kb() {
    make_image && program_8k
    "$RECOVER" image build --chip fx2lp --ids 1d50:608c --firmware "$DESK/program-8k.bin" --output "$DESK/8k.iic"
    attach ezusb-blank --unpaced
    wait_for "$PORT" 04b4:8613
    printf '#!/bin/sh\nexec /usr/bin/time -o "%s" -f "\\"wall_s\\":%%e,\\"user_s\\":%%U,\\"system_s\\":%%S,\\"peak_kib\\":%%M" "%s" "$@"\n' \
        "$DESK/usage" "$RECOVER" >"$DESK/metered"
    chmod 755 "$DESK/metered"
    # Only the load is of interest: with its records the image is larger than this EEPROM of 8 KB.
    local told
    if told=$(USER_RECOVER=$DESK/metered recover_with_hands "$PORT" --auto --profile generic-fx2lp --image "$DESK/8k.iic" 2>&1); then
        echo "an image larger than the EEPROM was written: $told"
        return 1
    fi
    case $told in
    *R105*) ;;
    *) echo "not refused for its size: $told"; return 1 ;;
    esac
    # The trial alone: what is sent to program memory between the two times the CPU is held for it.
    awk '/control out 40 a0 wValue e600/ { n += 1 } { print > ("'"$DESK"'/load-" n) }' "$DESK/transfers"
    best=
    for part in "$DESK"/load-*; do
        sent=$(awk '/control out 40 a0 wValue [0-3]/ { split($0, w, "wLength "); sum += w[2] } END { print sum + 0 }' "$part")
        [ "$sent" = 8192 ] && best=$part
    done
    [ -n "$best" ] || { echo "no load of 8192 bytes among the transfers"; return 1; }
    cp "$best" "$DESK/transfers"
    read -r transfers ms < <(spent 'control out 40 a0 wValue [0-3]')
    record "load 8 KB into RAM" "recover --auto (the trial; read back besides)" "$transfers" 0 "$ms"
    [ "$transfers" = 2 ]
}

check_a_list_costs_little() {
    attach sl11r-zeroed ezusb-blank at2lp-rc42
    wait_for "${PORTS[2]}" 04b4:6830
    "$RECOVER" list >/dev/null
    metered sh -c 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "$1" list >/dev/null; done' sh "$RECOVER"
    record "list three devices, 20 times" "recover list" 0 0 0
}

# From the kernel's line about the new device to the events of the program, both by the kernel's
# clock: sighted, the chip proven, its EEPROM read.
plugged_in() {
    local scenario=$1 ids=$2 event
    attach "$scenario"
    wait_for "$PORT" "$ids"
    power "$PORT" off
    wait_until 5 gone "$PORT"
    dmesg -C
    "$RECOVER" diagnose --wait=60 --json 2>/dev/null | while IFS= read -r event; do
        [[ $event =~ \"event\":\"(sighted|proven|diagnosed)\" ]] && echo "recover: ${BASH_REMATCH[1]}" >/dev/kmsg
    done &
    local reader=$!
    sleep 2
    power "$PORT" on
    wait "$reader" || true
    dmesg >"$DESK/kernel"
    awk -F '[][]' -v who="$scenario" '
        /New USB device found/ { enumerated = $2 }
        /recover: sighted/ { sighted = $2 }
        /recover: proven/ { proven = $2 }
        /recover: diagnosed/ { diagnosed = $2 }
        END {
            printf "{\"work\":\"hot-plug\",\"who\":\"%s\",\"sighted_ms\":%.1f,\"proven_ms\":%.1f,\"diagnosed_ms\":%.1f}\n",
                who, (sighted - enumerated) * 1000, (proven - enumerated) * 1000, (diagnosed - enumerated) * 1000
        }' "$DESK/kernel" | tee -a "$MEASURED" | sed 's/^/note: /'
    grep -q 'recover: diagnosed' "$DESK/kernel"
}
check_a_plugged_in_sl11r_is_diagnosed_soon() { plugged_in sl11r-zeroed 04ce:07d1; }
check_a_plugged_in_fx2lp_is_diagnosed_soon() { plugged_in ezusb-blank 04b4:8613; }
check_a_plugged_in_at2lp_is_diagnosed_soon() { plugged_in at2lp-rc42 04b4:6830; }

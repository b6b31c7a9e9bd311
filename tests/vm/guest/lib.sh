# What the checks are written with. Every check runs in a shell of its own that ends at the first
# command that fails; its output is kept and shown when it did.
# shellcheck shell=bash

# Plugs scenarios in; sets PORT, the first one's, and PORTS.
attach() {
    local wanted=0 argument
    for argument in "$@"; do [[ $argument == -* ]] && break; wanted=$((wanted + 1)); done
    modprobe -d /mnt vhci-hcd
    : >"$DESK/ports"
    "$RECOVER" sim attach "$@" --log "$DESK/transfers" >"$DESK/ports" 2>"$DESK/attach.log" &
    echo $! >>"$DESK/players"
    until [ "$(wc -l <"$DESK/ports")" -ge "$wanted" ]; do
        kill -0 $! || { cat "$DESK/attach.log"; return 1; }
        sleep 0.05
    done
    mapfile -t PORTS < <(awk '{ print $1 }' "$DESK/ports")
    PORT=${PORTS[0]}
}

# Ends what attach began, as Ctrl-C does.
detach() {
    local player
    [ -e "$DESK/players" ] || return 0
    while read -r player; do kill "$player" 2>/dev/null || true; done <"$DESK/players"
    rm "$DESK/players"
}

ids_at() { cat "/sys/bus/usb/devices/$1/idVendor" "/sys/bus/usb/devices/$1/idProduct" 2>/dev/null | paste -sd:; }

# Waits until something is so; says what was waited for when it never is.
wait_until() {
    local seconds=$1 end
    shift
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { echo "not within $seconds s: $*"; return 1; }
        sleep 0.05
    done
}

# wait_for PORT IDS: a configured device with these ids is there.
wait_for() { wait_until 20 shows "$1" "$2" || { ls /sys/bus/usb/devices; dmesg | tail -n 20; return 1; }; }
shows() { [ "$(ids_at "$1")" = "$2" ] && [ -n "$(cat "/sys/bus/usb/devices/$1/bConfigurationValue")" ]; }
gone() { [ ! -e "/sys/bus/usb/devices/$1" ]; }

power() { "$RECOVER" sim power "$1" "$2" >/dev/null; }
status() { "$RECOVER" sim status "${1:-$PORT}"; }
# field KEY < one JSON object on a line
field() { sed -E "s/.*\"$1\":\"?([^\",}]*).*/\1/"; }

# Runs recover with hands beside it: where it asks for the power to be taken away, they do.
# Its JSON goes to $DESK/events; returns its exit code.
recover_with_hands() {
    local port=$1 code=0
    shift
    rm -f "$DESK/pipe" && mkfifo "$DESK/pipe"
    : >"$DESK/events"
    hands "$port" <"$DESK/pipe" &
    "${USER_RECOVER:-$RECOVER}" "$@" --port "$port" --yes --json >"$DESK/pipe" 2>"$DESK/stderr" || code=$?
    wait $!
    [ "$code" = 0 ] || tail -n 2 "$DESK/events" >&2
    cat "$DESK/stderr" >&2
    return "$code"
}

hands() {
    local event
    while IFS= read -r event; do
        printf '%s\n' "$event" >>"$DESK/events"
        case $event in
        # What is to be done meanwhile is asked for as well; there is nothing to do.
        *'"event":"asked","request":"take all power'*)
            power "$1" off
            wait_until 10 gone "$1"
            power "$1" on
            ;;
        esac
    done
}

# expect WHAT COMMAND...: its output holds that line, as a regular expression.
expect() {
    local what=$1
    shift
    "$@" >"$DESK/output" 2>&1 || true
    grep -Eq -- "$what" "$DESK/output" || { echo "no \"$what\" in what \"$*\" says:"; cat "$DESK/output"; return 1; }
}

# Runs one check; prints its line.
run_check() {
    local check=$1 begun status
    export DESK=$TMPDIR/$check
    mkdir -p "$DESK"
    export RECOVER_HOME=$DESK/home
    dmesg -C
    begun=$(cut -d. -f1 /proc/uptime)
    (
        set -euo pipefail
        "check_$check"
    ) >"$DESK/log" 2>&1
    status=$?
    detach
    # Ports that are still let go of would be missed by the next check.
    wait_until 10 no_devices >>"$DESK/log" || status=1
    if [ "$status" = 0 ]; then
        printf 'passed  %s  (%s s)\n' "$check" $(($(cut -d. -f1 /proc/uptime) - begun))
        sed -n 's/^note: /        /p' "$DESK/log"
    else
        printf 'FAILED  %s\n' "$check"
        { cat "$DESK/log"; echo "-- attach:"; tail -n 5 "$DESK/attach.log"; echo "-- dmesg:"; dmesg | tail -n 25; echo "-- transfers:"; tail -n 15 "$DESK/transfers"; } 2>/dev/null | sed 's/^/    /'
    fi
}

no_devices() { ! ls /sys/bus/usb/devices/ | grep -Eq '^[0-9]+-[0-9.]+$'; }

# A whole rescue: plugged in blank, rescued with hands, seen by the kernel as what it was.
# rescued SCENARIO BLANK HEALTHY PRODUCT OPTIONS...
rescued() {
    local scenario=$1 blank=$2 healthy=$3 product=$4
    shift 4
    attach "$scenario"
    wait_for "$PORT" "$blank"
    recover_with_hands "$PORT" --auto "$@"
    grep -q '"result":"rescued"' "$DESK/events"
    wait_for "$PORT" "$healthy"
    expect "iProduct +[0-9]+ $product" lsusb -v -d "$healthy"
    expect "idVendor=${healthy%:*}, idProduct=${healthy#*:}" dmesg
    expect "$PORT: Product: $product" dmesg
    echo "note: $(status)"
}

# Ten interrupted rescues: the plug is pulled at a transfer, put back, the same command again.
# The places are the same in every run.
# survives SCENARIO BLANK HEALTHY OPTIONS...
survives() {
    local scenario=$1 blank=$2 healthy=$3 before transfers place places=() code pulled=0
    shift 3
    attach "$scenario" --unpaced
    wait_for "$PORT" "$blank"
    before=$(status | field transfers)
    recover_with_hands "$PORT" --auto "$@"
    transfers=$(($(status | field transfers) - before))
    detach
    wait_until 10 gone "$PORT"
    RANDOM=5
    for _ in {1..10}; do
        place=$((RANDOM % transfers + 1))
        places+=("$place")
        echo "-- unplugged at transfer $place of $transfers"
        export RECOVER_HOME=$DESK/home-$place
        attach "$scenario" --unpaced
        wait_for "$PORT" "$blank"
        # What the kernel's own drivers send from here on counts too.
        "$RECOVER" sim disturb "$PORT" "unplug@$place" >/dev/null
        code=0
        recover_with_hands "$PORT" --auto "$@" || code=$?
        if status | grep -q '"plugged":false'; then pulled=$((pulled + 1)); else [ "$code" = 0 ]; fi
        power "$PORT" on
        wait_until 20 configured "$PORT"
        recover_with_hands "$PORT" --auto "$@"
        wait_for "$PORT" "$healthy"
        detach
        wait_until 10 gone "$PORT"
    done
    # A run that needs fewer transfers than the first is over before the last places.
    [ "$pulled" -ge 5 ] || { echo "the plug was pulled in $pulled of 10 runs"; return 1; }
    echo "note: unplugged at transfer ${places[*]} of $transfers; $pulled of 10 met the run"
}
configured() { [ -n "$(cat "/sys/bus/usb/devices/$1/bConfigurationValue" 2>/dev/null)" ]; }

driver_of() { basename "$(readlink "/sys/bus/usb/devices/$1:1.0/driver")"; }
bound() { [ "$(driver_of "$1")" = "$2" ]; }

# The kernel's driver is taken off for a look at the device and is back afterwards.
# gives_back SCENARIO IDS DRIVER OPTIONS...
gives_back() {
    local scenario=$1 ids=$2 driver=$3
    shift 3
    attach "$scenario"
    wait_for "$PORT" "$ids"
    wait_until 5 bound "$PORT" "$driver"
    "$RECOVER" diagnose -vv --port "$PORT" "$@"
    wait_until 5 bound "$PORT" "$driver"
}

# describes IDS LINE...: lsusb -v says all of these, blanks squeezed; the names that it knows from
# a list of ids may follow.
describes() {
    local ids=$1 line
    shift
    lsusb -v -d "$ids" 2>&1 | sed -E 's/^ +//; s/ +/ /g' >"$DESK/lsusb"
    for line in "$@"; do
        grep -q -- "^$line\( \|$\)" "$DESK/lsusb" || { echo "lsusb does not say: $line"; cat "$DESK/lsusb"; return 1; }
    done
}

# Many at once, and power that no hand switches: the hub's own, and relays.
# shellcheck shell=bash

# Profiles of the virtual enclosures as a person would write them for real ones, in the check's home.
own_profiles() {
    local family name folder
    for name in cy16/simulated-sl11r at2lp/simulated-at2lp ezusb/simulated-fx2lp; do
        family=${name%/*} name=${name#*/}
        folder=$RECOVER_HOME/profiles/my-${name#simulated-}
        mkdir -p "$folder"
        cp "$REPOSITORY/recovery-images/$family/$name"/*.* "$folder"
        sed -e "s/^name = .*/name = \"${folder##*/}\"/" -e 's/^scope = .*/scope = "hardware"/' \
            "$REPOSITORY/recovery-images/$family/$name/profile.toml" >"$folder/profile.toml"
    done
    "$RECOVER" profile list | grep -c 'my-' | grep -qx 3
}

# Hands for every port: JSON of a run over many on standard input.
hands_everywhere() {
    local event port hand hands=()
    while IFS= read -r event; do
        printf '%s\n' "$event" >>"$DESK/events"
        [[ $event == *'"event":"asked","request":"take all power'* && $event =~ \"port\":\"([0-9.-]+)\" ]] || continue
        port=${BASH_REMATCH[1]}
        # The others go on meanwhile.
        { power "$port" off && wait_until 10 gone "$port" && power "$port" on; } &
        hands+=($!)
    done
    for hand in "${hands[@]}"; do wait "$hand"; done
}

# Nothing was left to hands. (`! grep` alone would end no check: a negated command never does.)
nobody_was_asked() {
    [ -s "$DESK/events" ] || { echo "no events"; return 1; }
    if grep '"event":"asked"' "$DESK/events"; then return 1; fi
}

outcomes() { [ "$(grep -c '"event":"outcome".*"result":"rescued"' "$DESK/events")" -ge "$1" ]; }
switched_by() { grep '"event":"switched"' "$DESK/events" | grep "\"port\":\"$2\"" | grep -c "\"by\":\"$1\""; }

check_three_families_are_rescued_at_once() {
    local code=0
    own_profiles
    attach sl11r-zeroed at2lp-rc42 ezusb-blank
    wait_for "${PORTS[0]}" 04ce:07d1
    wait_for "${PORTS[1]}" 04b4:6830
    wait_for "${PORTS[2]}" 04b4:8613
    : >"$DESK/events"
    mkfifo "$DESK/pipe"
    hands_everywhere <"$DESK/pipe" &
    "$RECOVER" --auto --all --yes --json --profile my-sl11r,my-at2lp,my-fx2lp >"$DESK/pipe" 2>"$DESK/error" || code=$?
    wait $!
    cat "$DESK/error"
    [ "$code" = 0 ] || { grep -E '"event":"(failed|outcome|switched|asked|note)' "$DESK/events"; return 1; }
    for port in "${PORTS[@]}"; do
        [ "$(grep -c "\"event\":\"outcome\".*\"result\":\"rescued\",\"port\":\"$port\"" "$DESK/events")" = 1 ]
    done
    wait_for "${PORTS[0]}" 04ce:0002
    wait_for "${PORTS[1]}" 04b4:6830
    wait_for "${PORTS[2]}" 1209:0001
    at_once
}

# Every run had begun before the first came to its end.
at_once() {
    local begun
    begun=$(sed '/"event":"outcome"/,$d' "$DESK/events" | grep -c '"event":"begun"')
    [ "$begun" = "${#PORTS[@]}" ] || { echo "$begun runs had begun before the first ended"; return 1; }
}

# Who ends the wait for enclosures does not have it begun again.
check_a_wait_that_is_ended_is_over() {
    local code=0 waiting
    modprobe -d /mnt vhci-hcd
    "$RECOVER" --auto --all --yes --wait=60 >"$DESK/output" 2>&1 &
    waiting=$!
    sleep 1
    kill "$waiting"
    wait_until 5 ended "$waiting"
    wait "$waiting" || code=$?
    [ "$code" = 1 ] && grep -q 'R405' "$DESK/output" || { echo "exit $code"; cat "$DESK/output"; return 1; }
}
ended() { ! kill -0 "$1"; }

# The hub's switch is enough where what comes up cannot still run from RAM.
check_the_hub_switches_the_power_of_its_port() {
    own_profiles
    attach ezusb-blank
    wait_for "$PORT" 04b4:8613
    "$RECOVER" --auto --port "$PORT" --profile my-fx2lp --yes --json >"$DESK/events" || { tail -n 3 "$DESK/events"; return 1; }
    grep -q '"result":"rescued"' "$DESK/events"
    nobody_was_asked
    grep -q '"event":"switched".*"by":"hub"' "$DESK/events"
    grep -q 'port power off' "$DESK/transfers"
    wait_for "$PORT" 1209:0001
}

# bench COUNT: the bench runs until so many units are rescued, and is told to end.
bench() {
    local count=$1 code=0 ended_with=0 bench
    : >"$DESK/events"
    "$RECOVER" bench --auto --json >"$DESK/events" 2>"$DESK/error" &
    bench=$!
    wait_until 180 outcomes "$count" || code=1
    kill "$bench"
    wait "$bench" || ended_with=$?
    cat "$DESK/error"
    [ "$code" = 0 ] && [ "$ended_with" = 0 ] || { echo "it ended with $ended_with"; grep -Ev '"event":"(progress|step|proven|planned|chosen)' "$DESK/events"; dmesg | grep -E ' usb [0-9]+-[0-9]'; return 1; }
    "$RECOVER" ledger list --json >"$DESK/ledger"
    [ "$(grep -c rescued "$DESK/ledger")" = "$count" ] || { cat "$DESK/ledger"; return 1; }
}

check_six_are_rescued_at_once_by_a_relay_board() {
    local healthy=(04ce:0002 04b4:6830 04b4:6830 04b4:6830 04b4:6830 1209:0001)
    local blank=(04ce:07d1 04b4:6830 04b4:6830 04b4:6830 04b4:6830 04b4:8613)
    local profiles=(my-sl11r my-at2lp my-at2lp my-at2lp my-at2lp my-fx2lp) wired=() at
    own_profiles
    # Few of those that execute a program: two processors without KVM are slow.
    attach sl11r-zeroed at2lp-rc42 at2lp-rc58 at2lp-disk at2lp-atapi ezusb-blank
    for at in "${!PORTS[@]}"; do wired+=(--power "$((at + 1))=${PORTS[at]}"); done
    "$RECOVER" sim relay --kind lcus --device "$DESK/board" "${wired[@]}" >"$DESK/relays" &
    echo $! >>"$DESK/players"
    wait_until 10 test -e "$DESK/board"
    printf '[[board]]\nname = "left"\ndevice = "%s"\nkind = "lcus"\n' "$DESK/board" >"$RECOVER_HOME/bench.toml"
    for at in "${!PORTS[@]}"; do
        wait_for "${PORTS[at]}" "${blank[at]}"
        printf '\n[[port]]\npath = "%s"\nlabel = "A%s"\nprofile = "%s"\npower = { board = "left", channel = %s }\n' \
            "${PORTS[at]}" $((at + 1)) "${profiles[at]}" $((at + 1)) >>"$RECOVER_HOME/bench.toml"
    done
    bench 6
    for at in "${!PORTS[@]}"; do wait_for "${PORTS[at]}" "${healthy[at]}"; done
    nobody_was_asked
    for port in "${PORTS[@]}"; do [ "$(switched_by relay "$port")" = 2 ]; done
    at_once
}

check_two_are_rescued_at_once_by_their_hub() {
    local at
    own_profiles
    attach ezusb-blank ezusb-zeroed
    for at in 0 1; do
        wait_for "${PORTS[at]}" 04b4:8613
        printf '[[port]]\npath = "%s"\nprofile = "my-fx2lp"\n\n' "${PORTS[at]}" >>"$RECOVER_HOME/bench.toml"
    done
    bench 2
    for at in 0 1; do
        wait_for "${PORTS[at]}" 1209:0001
        [ "$(switched_by hub "${PORTS[at]}")" -ge 2 ]
    done
    nobody_was_asked
    at_once
}

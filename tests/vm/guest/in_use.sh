# A disk in use is never taken from its owner: real file systems, swap, volumes and automounters
# on the disks of virtual enclosures.
# shellcheck shell=bash

readonly HEALTHY=at2lp-healthy-default IDS=04b4:6830 PROFILE=cypress-cy4615b
# First sector and sectors of both partitions: 16 MB from 1 MB on, 8 MB from 20 MB on.
readonly PARTS="2048 32768 40960 16384"

# A healthy enclosure whose disk has two partitions, and a backup of its EEPROM.
plug_in_a_disk() {
    local module
    let_go
    for module in loop dm_mod ext4; do modprobe -d /mnt "$module"; done
    attach "$HEALTHY" --unpaced
    wait_for "$PORT" "$IDS"
    find_the_disk
    "$RECOVER" backup --port "$PORT" --json >"$DESK/backup"
    find_the_disk
    partition
    SCSI=$(scsi_host)
}

# Sets DISK; what a check before left may keep a name taken.
find_the_disk() {
    wait_until 20 has_a_disk
    DISK=/dev/$(cd "/sys/bus/usb/devices/$PORT:1.0" && basename host*/target*/*/block/*)
}
has_a_disk() { ls "/sys/bus/usb/devices/$PORT:1.0"/host*/target*/*/block/*/size; }

# Ends the uses that a check which failed has left.
let_go() {
    awk -v home="$TMPDIR/" 'index($2, home) == 1 { print $2 }' /proc/self/mounts | tac | while read -r place; do
        umount -l "$(printf '%b' "$place")" || true
    done
    swapoff -a || true
    dmsetup remove_all || true
    losetup -D || true
} 2>/dev/null

scsi_host() { (cd "/sys/bus/usb/devices/$PORT:1.0" && echo host*); }

le32() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }

# A table of two partitions [UEFI 2.10, 5.2.1].
partition() {
    local start1 length1 start2 length2
    read -r start1 length1 start2 length2 <<<"$PARTS"
    {
        head -c 446 /dev/zero
        printf "\\x00\\x00\\x00\\x00\\x83\\x00\\x00\\x00$(le32 "$start1")$(le32 "$length1")"
        printf "\\x00\\x00\\x00\\x00\\x83\\x00\\x00\\x00$(le32 "$start2")$(le32 "$length2")"
        head -c 32 /dev/zero
        printf '\x55\xaa'
    } | dd of="$DISK" bs=512 count=1 iflag=fullblock conv=fsync status=none
    blockdev --rereadpt "$DISK"
    wait_until 10 test -b "${DISK}2"
}

# Writes numbered blocks to a file or a device, each onto the medium, until it is told to stop.
write_all_the_while() {
    local at=0
    while [ ! -e "$DESK/stop" ]; do
        block "$at" | dd of="$1" bs=4096 seek="$at" conv=notrunc,fsync status=none || { echo "block $at was not written"; return 1; }
        at=$(((at + 1) % 256))
        echo x >>"$DESK/blocks"
    done
}
block() { printf '%-4096s' "block $1 of the owner's file"; }

begin_writing() {
    rm -f "$DESK/stop" "$DESK/blocks"
    write_all_the_while "$1" &
    WRITER=$!
    wait_until 20 test -s "$DESK/blocks"
}

# Ends the writer and finds all it wrote on the medium, not in a cache.
end_writing() {
    local count at
    touch "$DESK/stop"
    wait "$WRITER"
    count=$(wc -l <"$DESK/blocks")
    [ "$count" -le 256 ] || count=256
    sync
    echo 3 >/proc/sys/vm/drop_caches
    for ((at = 0; at < count; at++)); do
        cmp <(block "$at") <(dd if="$1" bs=4096 skip="$at" count=1 status=none)
    done
    echo "note: $(wc -l <"$DESK/blocks") blocks of 4 KiB were written meanwhile"
}

# refused WHAT END COMMAND...: it answers R407 with exit code 1, names the use and what ends it.
refused() {
    local what=$1 end=$2 code=0
    shift 2
    "$RECOVER" "$@" >"$DESK/output" 2>&1 </dev/null || code=$?
    if [ "$code" != 1 ] || ! grep -q 'error\[R407\]' "$DESK/output" ||
        ! grep -qF -- "$what" "$DESK/output" || { [ -n "$end" ] && ! grep -qF -- "\`$end\`" "$DESK/output"; } ||
        ! grep -q 'device: *untouched' "$DESK/output"; then
        echo "recover $*: exit $code, expected 1, R407, \"$what\" and \`$end\`:"
        cat "$DESK/output"
        return 1
    fi
}

# every_command_is_refused WHAT END
every_command_is_refused() {
    local backup
    backup=$(ls -d "$RECOVER_HOME"/backups/* | head -n 1)
    backup=$(basename "${backup%.*}")
    refused "$1" "$2" diagnose --port "$PORT"
    refused "$1" "$2" diagnose --port "$PORT" --as at2lp
    refused "$1" "$2" plan --port "$PORT" --profile "$PROFILE" --replace-running-firmware
    refused "$1" "$2" backup --port "$PORT"
    refused "$1" "$2" restore "$backup" --port "$PORT" --yes --replace-running-firmware
    refused "$1" "$2" --auto --port "$PORT" --profile "$PROFILE" --yes --replace-running-firmware
    refused "$1" "$2" --auto --port "$PORT" --profile "$PROFILE" --yes --replace-running-firmware --no-trial
    # What is seen without opening it is healthy, and is not opened.
    "$RECOVER" --auto --port "$PORT" --yes >"$DESK/output" 2>&1
    grep -q 'nothing was written' "$DESK/output"
    refused "$1" "$2" profile learn --port "$PORT" --name mine
    "$RECOVER" list | grep -q "$PORT"
    nothing_was_taken
}

nothing_was_taken() {
    [ "$(scsi_host)" = "$SCSI" ] || { echo "its driver was detached: $(scsi_host), before $SCSI"; return 1; }
}

# Afterwards, used by nobody, the same device may be opened.
may_be_opened() {
    "$RECOVER" diagnose --port "$PORT" >"$DESK/output" 2>&1 || { cat "$DESK/output"; return 1; }
}

check_a_mounted_partition_is_not_taken() {
    plug_in_a_disk
    mkfs.ext2 -q "${DISK}1"
    mkdir "$DESK/my disk"
    mount "${DISK}1" "$DESK/my disk"
    begin_writing "$DESK/my disk/file"
    every_command_is_refused "${DISK}1 is mounted at $DESK/my disk" "umount '$DESK/my disk'"
    end_writing "$DESK/my disk/file"
    umount "$DESK/my disk"
    fsck.ext2 -fn "${DISK}1"
    may_be_opened
}

check_a_mount_of_another_namespace_is_seen() {
    local owner
    plug_in_a_disk
    mkfs.ext2 -q "${DISK}2"
    mkdir "$DESK/m"
    # shellcheck disable=SC2016 # for the other shell
    export DISK
    unshare -m sh -c 'mount ${DISK}2 "$DESK/m" && touch "$DESK/mounted" && until [ -e "$DESK/leave" ]; do sleep 0.1; done' &
    owner=$!
    wait_until 20 test -e "$DESK/mounted"
    if grep -q sda2 /proc/self/mounts; then echo "it is mounted here too"; return 1; fi
    begin_writing "/proc/$owner/root$DESK/m/file"
    every_command_is_refused "${DISK}2 is mounted at" "umount $DESK/m"
    end_writing "/proc/$owner/root$DESK/m/file"
    touch "$DESK/leave"
    wait "$owner"
    may_be_opened
}

check_swap_is_not_taken() {
    plug_in_a_disk
    mkswap "${DISK}2"
    swapon "${DISK}2"
    begin_writing "${DISK}1"
    every_command_is_refused "${DISK}2 is swap" "swapoff ${DISK}2"
    end_writing "${DISK}1"
    swapoff "${DISK}2"
    may_be_opened
}

check_a_disk_under_a_loop_is_not_taken() {
    local loop
    plug_in_a_disk
    loop=$(losetup --find --show "${DISK}1")
    begin_writing "$loop"
    every_command_is_refused "${DISK}1 is part of $loop" "losetup -d $loop"
    end_writing "$loop"
    mkfs.ext2 -q "$loop"
    mkdir "$DESK/m"
    mount "$loop" "$DESK/m"
    begin_writing "$DESK/m/file"
    every_command_is_refused "$loop is mounted at $DESK/m" "umount $DESK/m"
    end_writing "$DESK/m/file"
    umount "$DESK/m"
    losetup -d "$loop"
    may_be_opened
}

check_a_disk_under_a_volume_is_not_taken() {
    plug_in_a_disk
    export DM_DISABLE_UDEV=1
    dmsetup create mine --table "0 16384 linear ${DISK}2 0"
    begin_writing /dev/mapper/mine
    every_command_is_refused "${DISK}2 is part of /dev/dm-0" "dmsetup remove mine"
    end_writing /dev/mapper/mine
    mkfs.ext2 -q /dev/mapper/mine
    mkdir "$DESK/m"
    mount /dev/mapper/mine "$DESK/m"
    begin_writing "$DESK/m/file"
    every_command_is_refused "/dev/dm-0 is mounted at $DESK/m" "umount $DESK/m"
    end_writing "$DESK/m/file"
    umount "$DESK/m"
    dmsetup remove mine
    may_be_opened
}

# Somebody makes a copy of the disk, as programs that rescue data do.
check_a_disk_that_a_program_reads_is_not_taken() {
    local reader
    plug_in_a_disk
    begin_writing "${DISK}1"
    sleep 1000 <"$DISK" &
    reader=$!
    refused "$DISK is open in process $reader (sleep)" "" diagnose --port "$PORT"
    grep -q "close the program $reader (sleep)" "$DESK/output"
    nothing_was_taken
    end_writing "${DISK}1"
    kill "$reader"
    wait "$reader" || true
    may_be_opened
}

# Mounts the disk as soon as there is one, as a desktop does.
mount_as_soon_as_it_is_there() {
    until mount "${DISK}1" "$DESK/m"; do sleep 0.01; done 2>/dev/null
    touch "$DESK/mounted"
    write_all_the_while "$DESK/m/file"
}

check_a_rescued_disk_that_is_mounted_at_once_stays_mounted() {
    local blank
    let_go
    modprobe -d /mnt ext4
    attach at2lp-rc42 --unpaced
    wait_for "$PORT" "$IDS"
    recover_with_hands "$PORT" --auto --profile "$PROFILE"
    find_the_disk
    partition
    mkfs.ext2 -q "${DISK}1"
    sync
    # Its medium keeps the file system while it is made blank again.
    blank=$(grep -o "\"backup\":\"[^\"]*\"" "$DESK/events" | head -n 1 | cut -d\" -f4)
    recover_with_hands "$PORT" restore "$blank" --replace-running-firmware
    wait_until 20 ls "/sys/bus/usb/devices/$PORT:1.0"
    if has_a_disk 2>/dev/null; then echo "it still has a disk"; return 1; fi
    mkdir "$DESK/m"
    rm -f "$DESK/stop" "$DESK/blocks"
    mount_as_soon_as_it_is_there &
    WRITER=$!
    recover_with_hands "$PORT" --auto --profile "$PROFILE"
    grep -q '"result":"rescued"' "$DESK/events"
    wait_until 20 test -s "$DESK/blocks"
    SCSI=$(scsi_host)
    grep '"event":"drive"' "$DESK/events"
    grep '"event":"drive"' "$DESK/events" | grep -q 'WDC WD25'
    every_command_is_refused "${DISK}1 is mounted at $DESK/m" "umount $DESK/m"
    end_writing "$DESK/m/file"
    umount "$DESK/m"
    fsck.ext2 -fn "${DISK}1"
}

#!/usr/bin/env bash
# Provokes faults and checks what Tests/FAULTS.md promises: the exit status, one line that says what to do, outputs whole or
# absent, and runs that can be resumed. Arguments: the tool, how often each kind of interruption is tried (10).
set -euo pipefail
smdim=$(realpath "$1")
rounds=${2:-10}
work=$(mktemp -d)
mounts=()
cleanup() {
    for mount in "${mounts[@]}"; do umount "$mount"; done
    rm -rf "$work"
}
trap cleanup EXIT

passed=0
failed=0
report() { printf '%-7s %s\n' "$1" "$2"; }
pass() { passed=$((passed + 1)); report ok "$1"; }
fail() { failed=$((failed + 1)); report FAILED "$1"; }

# expect NAME STATUS PATTERN COMMAND...: the exit status, and one line on stderr that holds the pattern.
expect() {
    local name=$1 status=$2 pattern=$3 found=0
    shift 3
    timeout 300 "$@" >"$work/stdout" 2>"$work/stderr" || found=$?
    # Remarks, and what the driver says, are no errors.
    grep '^smdim: ' "$work/stderr" >"$work/message" || true
    if [[ $found != "$status" ]]; then
        fail "$name: exit status $found, expected $status: $(tail -n 1 "$work/stderr")"
    elif ((status != 0)) && ! { [[ $(wc -l <"$work/message") == 1 ]] && grep -qE -- "$pattern" "$work/message"; }; then
        fail "$name: expected one line with '$pattern', found: $(head -c 300 "$work/message")"
    else
        pass "$name"
    fi
}

absent() { if [[ -e $2 ]]; then fail "$1: $2 is there"; else pass "$1"; fi; }

model=$work/model
"$smdim" init --preset tiny -o "$model" >/dev/null
generate=("$smdim" generate --model "$model" --length 256 --steps 8 --seed 5)
"${generate[@]}" -o "$work/expected.mid" >/dev/null 2>&1

# MARK: memory

planned() { awk -v name="$1" '$1 == name { print $2 }' "$work/plan"; }
for kernels in vector group simple; do
    "$smdim" bench --model "$model" --length 256 --plan --kernels "$kernels" >"$work/plan"
    weights=$(planned weights)
    expect "memory limit, generate, $kernels" 1 "device memory: $weights bytes needed, 102400 available.*SMDIM_MEMORY_LIMIT" \
        env SMDIM_MEMORY_LIMIT=100K "${generate[@]}" --kernels "$kernels" -o "$work/limited.mid"
    absent "memory limit, no output, $kernels" "$work/limited.mid"
    expect "memory limit behind the weights, $kernels" 1 "device memory: $(planned activations) bytes needed, 1000 available" \
        env SMDIM_MEMORY_LIMIT=$((weights + 1000)) "$smdim" bench --model "$model" --length 256 --kernels "$kernels"
done
expect "memory limit that is no number" 1 'SMDIM_MEMORY_LIMIT: expected' \
    env SMDIM_MEMORY_LIMIT=lots "${generate[@]}" -o "$work/limited.mid"

# MARK: kernels and their cache

expect "kernel that does not build" 1 'building .* failed' \
    env SMDIM_CACHE_DIR=off POCL_CACHE_DIR="$work/pocl" POCL_EXTRA_BUILD_FLAGS=-DLANES=3 "${generate[@]}" -o "$work/unbuilt.mid"
absent "kernel that does not build, no output" "$work/unbuilt.mid"

export SMDIM_CACHE_DIR=$work/cache
same() {
    expect "$1" 0 '' "${generate[@]}" -o "$work/same.mid"
    if cmp -s "$work/same.mid" "$work/expected.mid"; then pass "$1, same bits"; else fail "$1, other bits"; fi
    rm -f "$work/same.mid"
}
same "empty cache"
for file in "$SMDIM_CACHE_DIR"/*.clbin; do truncate --size=$(($(stat --format=%s "$file") / 2)) "$file"; done
same "cache files cut in half"
files=("$SMDIM_CACHE_DIR"/*.clbin)
for ((i = 0; i + 1 < ${#files[@]}; i += 2)); do
    mv "${files[i]}" "$work/swap"
    mv "${files[i + 1]}" "${files[i]}"
    mv "$work/swap" "${files[i + 1]}"
done
same "cache files swapped"
for file in "${files[@]}"; do head -c 4096 /dev/urandom >"$file"; done
same "cache files of noise"
rm -rf "$SMDIM_CACHE_DIR"
echo "no folder" >"$SMDIM_CACHE_DIR"
same "cache folder is a file"
unset SMDIM_CACHE_DIR

# MARK: places that cannot be written

echo "no folder" >"$work/file"
expect "output below a file" 1 "$work/file" "${generate[@]}" -o "$work/file/out.mid"
expect "output below nothing" 1 "$work/none" "${generate[@]}" -o "$work/none/out.mid"
expect "model folder below a file" 1 "$work/file" "$smdim" init --preset tiny -o "$work/file/model"
if ((EUID != 0)); then
    mkdir -m 0555 "$work/locked"
    expect "output in a folder without permission" 1 "$work/locked" "${generate[@]}" -o "$work/locked/out.mid"
else
    report skipped "output in a folder without permission: root may write anywhere"
fi

# MARK: a full disk

mkdir "$work/full"
if ((EUID == 0)) && mount -t tmpfs -o size=64k tmpfs "$work/full" 2>/dev/null; then
    mounts+=("$work/full")
    dd if=/dev/zero of="$work/full/ballast" bs=1k 2>/dev/null || true
    expect "full disk, generate" 1 "$work/full/out.mid: cannot be written" "${generate[@]}" -o "$work/full/out.mid"
    absent "full disk, generate, no output" "$work/full/out.mid"
    expect "full disk, init" 1 "$work/full/model" "$smdim" init --preset tiny -o "$work/full/model"
    absent "full disk, init, no configuration" "$work/full/model/config.json"
    export SMDIM_CACHE_DIR=$work/full/cache
    same "full disk, kernel cache"
    unset SMDIM_CACHE_DIR
else
    report skipped "full disk: mounting a small tmpfs takes root and the right to mount"
fi

# MARK: interruptions

# interrupt SIGNAL WHEN COMMAND...: starts the command and sends the signal after WHEN seconds, or as soon as a file of the
# pattern WHEN is there.
interrupt() {
    local signal=$1 when=$2
    shift 2
    # Bash starts background commands with SIGINT ignored.
    env --default-signal=INT "$@" >/dev/null 2>&1 &
    local process=$!
    if [[ $when == */* ]]; then
        while ! compgen -G "$when" >/dev/null && kill -0 "$process" 2>/dev/null; do :; done
    else
        sleep "$when"
    fi
    kill -s "$signal" "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
}
# moment SECONDS: a random part of that, in seconds.
moment() { awk -v most="$1" -v part=$RANDOM 'BEGIN { printf "%.3f", most * part / 32768 }'; }
# seconds COMMAND...: how long it takes.
seconds() {
    local start
    start=$(date +%s.%N)
    "$@" >/dev/null 2>&1
    awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { print end - start }'
}

whole=400
many=("${generate[@]}" --length 32 --steps 1 --count "$whole" --batch 40)
time=$(seconds "${many[@]}" -o "$work/many")
if [[ $(find "$work/many" -name '*.mid' | wc -l) != "$whole" ]]; then fail "$whole pieces without a signal"; fi
# Every second signal comes as soon as the first piece is there, so that some runs are cut while they write.
for signal in INT KILL; do
    pieces=0
    cut=0
    damaged=
    for ((round = 0; round < rounds; round++)); do
        rm -rf "$work/pieces"
        if ((round % 2 == 0)); then when="$work/pieces/*.mid"; else when=$(moment "$time"); fi
        interrupt "$signal" "$when" "${many[@]}" -o "$work/pieces"
        count=0
        for file in "$work/pieces"/*.mid; do
            [[ -e $file ]] || continue
            count=$((count + 1))
            cmp -s "$file" "$work/many/${file##*/}" || damaged=$file
        done
        pieces=$((pieces + count))
        if ((count > 0 && count < whole)); then cut=$((cut + 1)); fi
    done
    name="SIG$signal in $rounds runs of generate, $cut of them while they wrote, $pieces pieces there"
    if [[ $damaged ]]; then
        fail "$name: $damaged has other bits than without the signal"
    elif ((cut == 0)); then
        fail "$name: no run was cut while it wrote"
    else
        pass "$name"
    fi
done

songs=$work/songs
"$smdim" generate --model "$model" --length 512 --steps 8 --seed 1 --count 12 -o "$songs" >/dev/null 2>&1
train=("$smdim" train --data "$songs")
sizes=(--preset tiny --steps 60 --batch 2 --length 128 --checkpoint-every 5 --valid-windows 2)
time=$(seconds "${train[@]}" "${sizes[@]}" -o "$work/straight")
for signal in INT KILL; do
    run=$work/run-$signal
    resumed=0
    # The run after the last signal goes to its end.
    for ((round = 0; round <= rounds; round++)); do
        options=("${sizes[@]}")
        if compgen -G "$run/checkpoint-*" >/dev/null; then
            options=(--resume)
            resumed=$((resumed + 1))
        fi
        command=("${train[@]}" "${options[@]}" -o "$run")
        ((round == rounds)) || interrupt "$signal" "$(moment "$time")" "${command[@]}"
    done
    name="SIG$signal in $rounds runs of train, resumed $resumed times"
    expect "$name" 0 '' "${command[@]}"
    if ((resumed == 0)); then
        fail "$name: expected a checkpoint to resume from, found none; try more rounds"
    elif cmp -s "$run/model/model.safetensors" "$work/straight/model/model.safetensors"; then
        pass "SIG$signal: the resumed model has the bits of one that was never interrupted"
    else
        fail "SIG$signal: the resumed model differs from one that was never interrupted"
    fi
done
expect "resume without a checkpoint" 1 'a checkpoint to resume from' "${train[@]}" --resume -o "$work/empty"
state=$(ls -d "$work/straight"/checkpoint-* | tail -n 1)/state.safetensors
truncate --size=$(($(stat --format=%s "$state") / 2)) "$state"
expect "resume from a cut checkpoint" 1 'state.safetensors: data: expected [0-9]+ bytes, found' "${train[@]}" --resume -o "$work/straight"

echo "$passed passed, $failed failed"
((failed == 0))

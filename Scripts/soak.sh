#!/usr/bin/env bash
# The slow checks, two at a time and each to its end whatever became of the others, and a table of them.
# Arguments: the tool, the number of seeds for the listed cases, of drawn cases, of executions of each fuzz target, of pieces
# under the grammar.
set -uo pipefail
smdim=$(realpath "$1")
seeds=${2:-20}
cases=${3:-10000}
executions=${4:-1000000}
pieces=${5:-1000}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
logs=.build/soak
mkdir -p "$logs"
rm -f "$logs"/*
export SWIFT=${SWIFT:-swift}
# Stages run in the background, where an interrupt does not reach them.
trap "trap - TERM; kill 0" INT TERM

stages=()
# stage NAME COMMAND...: beside one other; its output goes to a log, whose last line is the result.
stage() {
    ((${#stages[@]} < 2)) || wait -n
    stages+=("$1")
    run_stage "$@" &
}
run_stage() {
    local name=$1 start=$SECONDS log=$logs/${1// /-}.log verdict=ok
    shift
    echo "$name …" >&2
    "$@" >"$log" 2>&1 || verdict="FAILED, see $log"
    printf '%-36s %8d  %s: %s\n' "$name" $((SECONDS - start)) "$verdict" "$(tail -n 1 "$log" | cut -c 1-100)" >"${log%.log}.row"
}

listed_cases() {
    local seed
    for ((seed = 0; seed < seeds; seed++)); do "$smdim" verify --kernels "$1" --seed "$seed" || return 1; done
    echo "$seeds seeds"
}
# Says how many ran: a family leaves out the cases of a precision that it has not.
drawn_cases() {
    local report=$logs/drawn-$1.json
    "$smdim" verify --kernels "$1" --random $((cases / 3 + 1)) --seed 1 --json >"$report" || return 1
    awk '$1 == "\"cases\"" { ran += $3 } END { print ran + 0 " cases" }' "$report"
}
tests() { SMDIM_SOAK_PIECES=$pieces "$SWIFT" test -c release --disable-xctest --filter "$1"; }

# The longest first; two tests of one package would wait for each other, so they do not stand side by side.
stage "$pieces pieces under the grammar" tests Grammar
stage "fuzzing" Tests/Fuzz/run.sh "$executions"
for kernels in vector group simple; do
    stage "listed cases, $kernels" listed_cases "$kernels"
    stage "drawn cases, $kernels" drawn_cases "$kernels"
done
stage "500 generations in one process" tests generatingLeavesNothingBehind
stage "checked accesses (oclgrind)" Scripts/oclgrind.sh "$smdim"
stage "tuning CLBlast" tests theTunerMeasuresCLBlastAsItComesFirst
stage "faults" Scripts/faults.sh "$smdim" 20
wait

printf '%-36s %8s  %s\n' stage seconds result
failures=0
for name in "${stages[@]}"; do
    row=$logs/${name// /-}.row
    cat "$row" && ! grep -q FAILED "$row" || failures=$((failures + 1))
done
((failures == 0))

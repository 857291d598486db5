#!/usr/bin/env bash
# The slow checks, each to its end whatever became of the others, and a table of them.
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
export SWIFT=${SWIFT:-swift}

table=$(printf '%-36s %8s  %s' stage seconds result)
failures=0
# stage NAME COMMAND...: its output goes to a log, whose last line is the result.
stage() {
    local name=$1 start=$SECONDS log=$logs/${1// /-}.log verdict=ok
    shift
    echo "$name …" >&2
    "$@" >"$log" 2>&1 || verdict="FAILED, see $log"
    [[ $verdict == ok ]] || failures=$((failures + 1))
    table+=$(printf '\n%-36s %8d  %s: %s' "$name" $((SECONDS - start)) "$verdict" "$(tail -n 1 "$log" | cut -c 1-100)")
}

listed_cases() {
    local seed
    for ((seed = 0; seed < seeds; seed++)); do "$smdim" verify --kernels "$1" --seed "$seed" || return 1; done
    echo "$seeds seeds"
}
drawn_cases() {
    "$smdim" verify --kernels "$1" --random $((cases / 3 + 1)) --seed 1 && echo "$((cases / 3 + 1)) cases"
}
tests() { SMDIM_SOAK_PIECES=$pieces "$SWIFT" test -c release --disable-xctest --filter "$1"; }

for kernels in vector group simple; do
    stage "listed cases, $kernels" listed_cases "$kernels"
    stage "drawn cases, $kernels" drawn_cases "$kernels"
done
stage "checked accesses (oclgrind)" Scripts/oclgrind.sh "$smdim"
stage "$pieces pieces under the grammar" tests Grammar
stage "500 generations in one process" tests generatingLeavesNothingBehind
stage "faults" Scripts/faults.sh "$smdim" 20
stage "fuzzing" Tests/Fuzz/run.sh "$executions"

echo "$table"
((failures == 0))

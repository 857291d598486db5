#!/usr/bin/env bash
# Runs the smallest cases of every operation on oclgrind, an OpenCL device that checks each access of a kernel: reads and
# writes outside a tensor, every tensor having a buffer of its own, and data races inside and between work-groups.
# Arguments: the tool, the families (all), the elements of the largest case (1500). Exit 1 if there is a finding.
#
# What cannot run there: the kernels of bfloat16 pairs, which hold inline assembly; it takes widened ones. Its check for
# uninitialised reads is not used: in 21.10 it takes what clEnqueueFillBuffer writes, and some of what is written through
# sub-buffers, for uninitialised.
set -euo pipefail
smdim=$1
families=${2:-"simple group vector"}
largest=${3:-1500}
if ! command -v oclgrind >/dev/null; then
    echo "oclgrind is not there: apt-get install oclgrind" >&2
    exit 1
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Kernels are compiled by oclgrind alone, never taken from a cache; its LLVM lowers restrict to an intrinsic that it does not know.
export SMDIM_CACHE_DIR=off
failed=0
for family in $families; do
    log=$logs/$family
    if ! timeout 1500 oclgrind --build-options -Drestrict= --data-races --log "$log" "$smdim" verify --device Oclgrind --kernels "$family" \
        --separate --largest "$largest" >"$logs/table" 2>&1; then
        tail -n 5 "$logs/table"
        failed=1
    fi
    touch "$log"
    cases=$(awk '$2 ~ /^[0-9]+$/ { sum += $2 } END { print sum + 0 }' "$logs/table")
    untested=$(awk '$2 == "0" { print $1 }' "$logs/table" | paste -sd ' ')
    findings=$(grep -cE '^(Invalid|Read-write|Write-write|Work-item|Out of|Unaligned|Work-group)' "$log" || true)
    echo "$family: $cases cases, $findings findings${untested:+, no case small enough of: $untested}"
    if [[ -s $log ]]; then
        head -n 40 "$log"
        failed=1
    fi
done
exit "$failed"

#!/usr/bin/env bash
# Checks every kernel's cases under many seeds, on every family of kernels, and a thousand pieces under the grammar.
# Arguments: the tool, the number of seeds.
set -euo pipefail
smdim=$1
seeds=$2

for kernels in vector group simple; do
    for ((seed = 0; seed < seeds; seed++)); do
        "$smdim" verify --kernels "$kernels" --seed "$seed"
    done
done

SMDIM_SOAK_PIECES=1000 "${SWIFT:-swift}" test -c release --filter Grammar

#!/usr/bin/env bash
# Shows what the tool given as the first argument does: devices, the kernels' check, a piece of music.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
smdim=$1

"$smdim" devices
echo
"$smdim" verify
echo

model=Models/pop909-small
if [[ ! -d $model ]]; then
    model=$(mktemp -d)/untrained
    trap 'rm -r "$(dirname "$model")"' EXIT
    echo "No trained weights are in $PWD/Models: the piece comes from untrained ones and is noise, not music."
    "$smdim" init --preset tiny -o "$model"
fi
mkdir -p dist
"$smdim" generate --model "$model" --seed 1 -o dist/demo.mid
echo "Listen to $PWD/dist/demo.mid"

roll=Models/pop909-roll
if [[ -d $roll ]]; then
    "$smdim" harmonise Examples/ode-to-joy.mid --model "$roll" --seed 1 -o dist/ode-to-joy.mid
    echo "and to $PWD/dist/ode-to-joy.mid, a melody that was given a second voice"
fi

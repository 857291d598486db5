#!/bin/sh
# Compares smdim with PyTorch:  Benchmarks/peers/run.sh path/to/smdim [options of compare.py]
#
# PyTorch lives in a virtual environment outside the checkout: PEERS_VENV, else smdim/peers in the user's cache. It is
# made if it is not there; NO_INSTALL=1 refuses to. The table goes to Benchmarks/results.
set -eu

if [ $# -lt 1 ]; then
    echo "run.sh: expected the path of smdim" >&2
    exit 2
fi
smdim=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
venv=${PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/smdim/peers}

if ! [ -x "$venv/bin/python" ]; then
    if [ -n "${NO_INSTALL:-}" ]; then
        echo "run.sh: no virtual environment at $venv, and NO_INSTALL forbids to make one" >&2
        exit 1
    fi
    echo "run.sh: making a virtual environment with PyTorch in $venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --extra-index-url https://download.pytorch.org/whl/cpu -r "$here/requirements.txt"
fi

exec "$venv/bin/python" "$here/compare.py" --smdim "$smdim" -o "$here/../results" "$@"

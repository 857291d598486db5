#!/usr/bin/env bash
# Stops unless the Swift compiler named by the first argument is there and new enough.
set -euo pipefail

swift=${1:-swift}
needed=6.3

if ! version=$("$swift" --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9.]+$'); then
    echo "Swift $needed or newer is needed and '$swift' was not found: get it from https://www.swift.org/install" >&2
    exit 1
fi
if [[ $(printf '%s\n' "$needed" "$version" | sort --version-sort | head -n 1) != "$needed" ]]; then
    echo "Swift $needed or newer is needed and '$swift' is $version: get it from https://www.swift.org/install" >&2
    exit 1
fi

#!/usr/bin/env bash
# Reports the lines of each module and stops if a file has outgrown its limit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

git ls-files --cached --others --exclude-standard '*.swift' '*.cl' '*.clh' | xargs wc -l | awk '
    $2 == "total" { next }
    {
        limit = $2 ~ /\.swift$/ ? 400 : 250
        if ($1 > limit) {
            printf "%s: %d lines, at most %d\n", $2, $1, limit > "/dev/stderr"
            failed = 1
        }
        split($2, parts, "/")
        module = parts[1] == "Sources" || parts[1] == "Tests" ? parts[1] "/" parts[2] : parts[1]
        lines[module] += $1
        files[module] += 1
        total += $1
        count += 1
    }
    END {
        for (module in lines) printf "%6d lines %4d files  %s\n", lines[module], files[module], module | "sort -k5"
        close("sort -k5")
        printf "%6d lines %4d files  in all\n", total, count
        exit failed
    }'

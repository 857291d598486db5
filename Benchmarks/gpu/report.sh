# Writes results.json and results.md from what the stages left. Sourced by run-gpu.

write_report() {
    [ -s "$logs/stages" ] || return
    json_report >"$output/results.json"
    markdown_report >"$output/results.md"
    echo "run-gpu: $output/results.md" >&2
}

# stdin as a JSON string.
json_string() {
    printf '"'
    tr -d '\000-\010\013-\037' | sed 's/\\/\\\\/g; s/"/\\"/g; s/\t/ /g' \
        | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
    printf '"'
}

commit() { cat "$root/COMMIT" 2>/dev/null || git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown; }
version() { "$smdim" --version 2>/dev/null || echo unknown; }
processor() { sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1; }

json_report() {
    printf '{\n"date": "%s",\n"version": "%s",\n"commit": "%s",\n"quick": %s,\n"processor": %s,\n"driver_mib": %s,\n' \
        "$(date -u +%Y-%m-%dT%H:%MZ)" "$(version)" "$(commit)" "$([ -n "$quick" ] && echo true || echo false)" \
        "$(processor | json_string)" "$driver_mib"
    printf '"stages": ['
    separator=""
    while IFS='|' read -r name outcome seconds; do
        printf '%s\n{"name": "%s", "outcome": %s, "seconds": %s' "$separator" "$name" \
            "$(printf %s "$outcome" | json_string)" "$seconds"
        if [ "$outcome" != ok ]; then
            printf ', "last_lines": %s' "$(tail -n 10 "$logs/$name.log" | json_string)"
        elif [ "$name" = peers ]; then
            printf ', "result": %s' "$(cat "$output/peers.json")"
        else
            printf ', "result": %s' "$(cat "$logs/$name.json")"
        fi
        printf '}'
        separator=,
    done <"$logs/stages"
    printf '\n]\n}\n'
}

markdown_report() {
    echo "# smdim on $(device_field name)"
    echo
    echo "$(date -u +%Y-%m-%d), smdim $(version), commit $(commit); $(device_field driver); host: $(processor)."
    [ -z "$quick" ] || echo "A quick run: it shows what runs, not how fast."
    ok_stages bench- | header "| tokens | batch | step, ms | fastest, ms | GFLOP/s | peak, MiB | kernels |" bench_rows
    ok_stages piece- | header "| a piece of $piece tokens, 64 steps, no grammar | s | kernels |" rounds_rows
    ok_stages roll- | header "| a piano roll of 32 bars, 32 steps | s | kernels |" rounds_rows
    ok_stages training | header "| a training step, $training (preset, samples, tokens) | s | kernels |" rounds_rows
    [ "$driver_mib" = null ] || printf '\nThe training step took %s MiB of the GPU, as its driver counts.\n' "$driver_mib"
    printf '\n| stage | outcome | s |\n|---|---|---|\n'
    awk -F'|' '{ printf "| %s | %s | %s |\n", $1, $2, $3 }' "$logs/stages"
    grep -v -e '|ok|' -e '|not run' "$logs/stages" | while IFS='|' read -r name outcome _; do
        printf '\n`%s` %s:\n\n```\n%s\n```\n' "$name" "$outcome" "$(tail -n 10 "$logs/$name.log")"
    done
    [ -z "$(ok_stages peers)" ] || { echo && sed 's/^# /## /' "$output/peers.md"; }
}

# The stages whose names begin so and that are ok.
ok_stages() { sed -n "s/^\($1[^|]*\)|ok|.*/\1/p" "$logs/stages"; }

# header LINE ROWS: a table of what the function ROWS prints for the names on stdin; nothing if there are none.
header() {
    names=$(cat)
    [ -n "$names" ] || return 0
    printf '\n%s\n%s\n' "$1" "$(echo "$1" | sed 's/[^|][^|]*/---/g')"
    for name in $names; do "$2" "$logs/$name.json"; done
}

bench_rows() {
    awk -v tokens="$(value length <"$1")" -v batch="$(value batch <"$1")" -v median="$(value median <"$1")" \
        -v least="$(value min <"$1")" -v flops="$(value flops <"$1")" -v peak="$(value peak_bytes <"$1")" \
        -v kernels="$(value kernel_path <"$1" | without_path)" 'BEGIN {
            printf "| %d | %d | %.3f | %.3f | %.1f | %.0f | %s |\n", tokens, batch, median * 1e3, least * 1e3,
                flops / median * 1e-9, peak / 1048576, kernels
        }'
}

rounds_rows() {
    awk -v name="$(basename "$1" .json)" -v median="$(value median <"$1")" \
        -v kernels="$(value kernels <"$1" | without_path)" \
        'BEGIN { printf "| %s | %.4f | %s |\n", name, median, kernels }'
}

# The kernels' name without the place of the tuning file, which is always tuning.json beside the report.
without_path() { sed 's/ by .*//'; }

#!/usr/bin/env bash
# Fuzzes every reader of foreign bytes with AddressSanitizer. Arguments: executions of each (10⁶), readers (all).
# An input that crashes, takes more than 5 s or allocates more than 16 MiB at once stays in Tests/Fuzz/.build/findings;
# READER=… ANSWERS=1 .build/release/Fuzz FILE reads it once more and prints what the reader says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
executions=${1:-1000000}
shift || true
readers=("$@")
if ((${#readers[@]} == 0)); then readers=(midi safetensors config tokenizer checkpoint corpus tokens tuning); fi

"${SWIFT:-swift}" build -c release --product Fuzz -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld
fuzz=$("${SWIFT:-swift}" build -c release --show-bin-path)/Fuzz
findings=.build/findings
mkdir -p "$findings"
# A crash is the fuzzer's to report, not the Swift runtime's; freed memory has to be known for one execution only.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8
for reader in "${readers[@]}"; do
    grown=.build/corpus/$reader
    mkdir -p "$grown"
    READER=$reader "$fuzz" -runs="$executions" -max_len=8192 -timeout=5 -malloc_limit_mb=16 -rss_limit_mb=1024 \
        -artifact_prefix="$findings/$reader-" -print_final_stats=1 -verbosity=0 "$grown" "Corpus/$reader" 2>&1 |
        awk -v reader="$reader" '
            /ERROR|SUMMARY|Fatal/ { print; found = 1 }
            /stat::number_of_executed_units/ { executions = $2 }
            END { print reader ": " executions " executions " (found ? "and a finding" : "without a finding") }'
done

#!/usr/bin/env bash
# Fuzzes every reader of foreign bytes with AddressSanitizer. Arguments: executions of each (10⁶), readers (all).
# An input that crashes, takes more than 5 s or allocates more than 64 MiB at once stays in Tests/Fuzz/.build/findings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
executions=${1:-1000000}
shift || true
readers=("$@")
if ((${#readers[@]} == 0)); then readers=(midi safetensors config tokenizer checkpoint corpus); fi

"${SWIFT:-swift}" build -c release --product Fuzz -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld
fuzz=$("${SWIFT:-swift}" build -c release --show-bin-path)/Fuzz
findings=.build/findings
mkdir -p "$findings"
export CORPUS=$PWD/Corpus/corpus/song
export ASAN_OPTIONS=detect_leaks=0
for reader in "${readers[@]}"; do
    grown=.build/corpus/$reader
    mkdir -p "$grown"
    READER=$reader "$fuzz" -runs="$executions" -max_len=8192 -timeout=5 -malloc_limit_mb=64 -rss_limit_mb=1024 \
        -artifact_prefix="$findings/$reader-" -print_final_stats=1 -verbosity=0 "$grown" "Corpus/$reader" 2>&1 |
        awk -v reader="$reader" '/stat::number_of_executed_units/ { print reader ": " $2 " executions without a finding" } /ERROR|SUMMARY|Fatal/'
done

#!/usr/bin/env bash
# Runs the archive on a machine without Swift, the checkout or development packages:  Scripts/test-bundle.sh ARCHIVE
#
# The machine is a minimal Debian with PoCL, made once by debootstrap in the user's cache and entered with chroot, which
# wants root. Making it downloads 200 MB, and checking every kernel cold takes minutes: too much for `make test`.
set -euo pipefail
archive=$(readlink -f "$1")
machine=${BUNDLE_MACHINE:-${XDG_CACHE_HOME:-$HOME/.cache}/smdim/bundle-machine}
place=/root/bundle
results=$machine$place/results
largest=60000000

fail() {
    echo "test-bundle.sh: $1" >&2
    exit 1
}

((EUID == 0)) || fail "expected root, which chroot wants, found user $EUID"
for name in jq debootstrap; do
    command -v "$name" >/dev/null || fail "needs $name: apt-get install $name"
done
size=$(stat -c %s "$archive")
((size < largest)) || fail "$archive: expected less than $largest bytes, found $size"

if [[ ! -f $machine/etc/OpenCL/vendors/pocl.icd ]]; then
    rm -rf "$machine"
    debootstrap --variant=minbase --include=pocl-opencl-icd bookworm "$machine" https://deb.debian.org/debian
fi

# Runs a command there, with the processes and mounts gone when it ends and nothing of this environment but PATH.
inside() {
    unshare --mount --pid --fork -- bash -euc '
        machine=$1
        shift
        mount -t proc proc "$machine/proc"
        mount --rbind /sys "$machine/sys"
        mount --rbind /dev "$machine/dev"
        exec chroot "$machine" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"' - "$machine" "$@"
}

# With what an interrupted test left.
rm -rf "$machine$place" "$machine/usr/local/nvidia" "$machine/usr/local/share/pocl"
mkdir -p "$machine$place"
tar --extract --file "$archive" --strip-components 1 --directory "$machine$place"

for name in swift clang gcc python3 clinfo; do
    if inside which "$name" >/dev/null; then fail "expected a machine without $name, found it"; fi
done
if inside ldd $place/smdim | grep "not found"; then
    fail "a library is missing"
fi

# Every stage is ok, but for the comparison with PyTorch, which says what it lacks.
inside $place/run-gpu --quick -o $place/results
jq --exit-status '[.stages[] | select(.outcome != "ok")] | length == 1 and .[0].name == "peers"
    and (.[0].outcome | contains("needs python3"))' "$results/results.json" >/dev/null \
    || fail "$results/results.json: expected every stage but peers to be ok, and peers to name python3"
jq --exit-status '[.stages[] | select(.name | startswith("bench-")) | .result.step_seconds.median > 0]
    | length == 4 and all' "$results/results.json" >/dev/null || fail "results.json: expected 4 measured steps"
grep -q '^| 64 | 1 | [0-9.]* ' "$results/results.md" || fail "results.md: expected a row of 64 tokens"

# A driver that is installed but not registered, in a folder that the linker does not search.
inside bash -euc "
    mkdir -p /usr/local/nvidia/lib64
    cp -a /usr/lib/x86_64-linux-gnu/libpocl.so.2* /usr/lib/x86_64-linux-gnu/pocl /usr/local/nvidia/lib64
    ln -sf libpocl.so.2 /usr/local/nvidia/lib64/libnvidia-opencl.so.1
    ln -sfn /usr/share/pocl /usr/local/share/pocl
    mount -t tmpfs none /etc/OpenCL/vendors
    $place/run-gpu --quick --only piece -o $place/unregistered"
grep -q "^/usr/local/nvidia/lib64/" "$machine$place/unregistered/vendors/libnvidia-opencl.icd" \
    || fail "expected the unregistered driver in $place/unregistered/vendors"

# A library less: the stages fail one by one and the report is still written.
rm "$machine$place/libclblast.so.1"
if inside $place/run-gpu --quick --only verify -o $place/broken 2>/dev/null; then
    fail "expected run-gpu to fail without CLBlast, it did not"
fi
jq --exit-status '.stages[] | select(.name == "verify") | .last_lines | contains("libclblast.so.1")' \
    "$machine$place/broken/results.json" >/dev/null || fail "expected the report to name libclblast.so.1"
echo "$archive: passed"

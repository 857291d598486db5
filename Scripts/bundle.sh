#!/usr/bin/env bash
# Packs what a machine with a GPU driver and nothing else needs:  Scripts/bundle.sh path/to/smdim path/to/checkouts
#
# The tool must be linked with Swift's static standard library and find its libraries beside itself (`make bundle`).
# dist/smdim-linux-x86_64.tar.gz holds it, the OpenCL loader, CLBlast, the models, an example, the measurements and the licences.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
smdim=$1
checkouts=$2

name=smdim-linux-x86_64
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
bundle=$staging/$name
mkdir -p "$bundle/licences"

# Where the dynamic linker finds a library that the tool wants.
library() {
    local path
    path=$(ldd "$smdim" | awk -v name="$1" '$1 == name { print $3 }')
    if [[ ! -f $path ]]; then
        echo "bundle.sh: expected $smdim to want $1 and this machine to have it, found none; see make tool" >&2
        exit 1
    fi
    echo "$path"
}

# The copyright file of the Debian package that a file belongs to.
copyright() {
    local package
    package=$(dpkg-query --search "$(readlink -f "$1")" | cut -d : -f 1)
    echo "/usr/share/doc/$package/copyright"
}

loader=$(library libOpenCL.so.1)
clblast=$(library libclblast.so.1)
swift=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")
cp -L "$smdim" "$loader" "$clblast" "$bundle"
git ls-files -z Models Benchmarks Examples | xargs -0 cp --parents -t "$bundle"
ln -s Benchmarks/gpu/run-gpu "$bundle/run-gpu"
cp Scripts/licences/* "$bundle/licences"
cp "$(copyright "$clblast")" "$bundle/licences/CLBlast.txt"
cp "$(copyright "$loader")" "$bundle/licences/ocl-icd.txt"
cp /usr/share/common-licenses/Apache-2.0 "$bundle/licences/Apache-2.0.txt"
cp "$swift/../share/swift/LICENSE.txt" "$bundle/licences/Swift.txt"
cp "$checkouts/swift-argument-parser/LICENSE.txt" "$bundle/licences/ArgumentParser.txt"
changed=$(git status --porcelain --untracked-files=no)
echo "$(git rev-parse --short HEAD)${changed:++}" >"$bundle/COMMIT"

mkdir -p dist
tar --create --gzip --owner=0 --group=0 --directory "$staging" --file "$staging/$name.tar.gz" "$name"
mv "$staging/$name.tar.gz" dist
echo "dist/$name.tar.gz: $(($(stat -c %s "dist/$name.tar.gz") / 1000000)) MB"

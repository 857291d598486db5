#!/usr/bin/env bash
# Sees that OpenCL, CLBlast and an OpenCL device are there, and installs with apt what is missing.
# Argument: the Swift compiler (swift).
set -euo pipefail
swift=${1:-swift}

# Prints the Debian packages whose files the compiler, the linker or the OpenCL loader does not find.
missing_packages() {
    has_header CL/cl.h || echo opencl-headers
    links OpenCL || echo ocl-icd-opencl-dev
    { has_header clblast_c.h && links clblast; } || echo libclblast-dev
    has_driver || echo pocl-opencl-icd
}

# The toolchain's own clang, which is also what reads the module maps.
clang=$(dirname "$(readlink -f "$(command -v "$swift")")")/clang
[[ -x $clang ]] || clang=clang

has_header() {
    echo "#include <$1>" | "$clang" -DCL_TARGET_OPENCL_VERSION=120 -fsyntax-only -x c - 2>/dev/null
}

links() {
    echo 'int main(void) { return 0; }' | "$clang" -x c - -o /dev/null "-l$1" 2>/dev/null
}

has_driver() {
    # Whoever sets OCL_ICD_VENDORS, to a folder, a file or a library, knows better.
    [[ $(uname) == Darwin || -n ${OCL_ICD_VENDORS:-} ]] || compgen -G "/etc/OpenCL/vendors/*.icd" >/dev/null
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then exit 0; fi

if ! command -v apt-get >/dev/null; then
    cat >&2 <<MESSAGE
Missing, by the names of Debian's packages: ${missing[*]}
There is no apt-get here. Install the OpenCL headers and loader, CLBlast (with its C header), and an OpenCL driver:
that of your GPU, or PoCL for the CPU. Then run make again.
MESSAGE
    exit 1
fi

elevate=()
if ((EUID != 0)); then elevate=(sudo); fi
install=("${elevate[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}")
echo "Missing: ${missing[*]}. They are installed with:"
echo "    ${elevate[*]:+sudo }apt-get update"
echo "    ${install[*]}"
if [[ -n ${NO_INSTALL:-} ]]; then
    echo "NO_INSTALL is set: nothing was installed" >&2
    exit 1
fi
"${elevate[@]}" apt-get update
"${install[@]}"

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
    echo "Installed, but still not found by the compiler or the OpenCL loader: ${missing[*]}" >&2
    exit 1
fi

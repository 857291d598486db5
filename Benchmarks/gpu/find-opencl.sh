# Finds OpenCL drivers that the loader does not: installed, but not registered. Sourced by run-gpu.
#
# A container is often given the driver's libraries without a line in /etc/OpenCL/vendors, or in a folder that the
# dynamic linker does not search. Nothing on the machine is changed: a private folder registers what is there.

vendor_libraries="libnvidia-opencl.so.1 libamdocl64.so libigdrcl.so"
driver_folders="/usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/lib/wsl/lib /run/opengl-driver/lib
    /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib/x86_64-linux-gnu/intel-opencl /usr/lib64/intel-opencl
    /opt/rocm*/lib /opt/rocm*/opencl/lib /opt/amdgpu*/lib/x86_64-linux-gnu"

PATH=$PATH:/sbin:/usr/sbin

# The path of a library, from the linker's cache, else from a driver's folder; fails if it is in neither.
library() {
    found=$(ldconfig -p 2>/dev/null | sed -n "s|^[[:space:]]*$1[^ ]* .*x86-64.* => ||p" | head -n 1)
    for folder in $driver_folders; do
        [ -n "$found" ] || [ ! -e "$folder/$1" ] || found=$folder/$1
    done
    [ -n "$found" ] && echo "$found"
}

find_opencl() {
    # Whoever sets it knows better.
    [ -z "${OCL_ICD_VENDORS:-}" ] || return 0
    vendors=$output/vendors
    for name in $vendor_libraries; do
        path=$(library "$name") || continue
        # The driver loads libraries of its own, from beside it.
        ldconfig -p 2>/dev/null | grep -qF "$path" \
            || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(dirname "$path")"
        grep -qsF "${name%%.so*}" /etc/OpenCL/vendors/*.icd && continue
        mkdir -p "$vendors"
        echo "$path" >"$vendors/${name%%.so*}.icd"
        echo "run-gpu: $path is not registered with OpenCL; registered for this run in $vendors" >&2
    done
    if [ -d "$vendors" ]; then
        cp /etc/OpenCL/vendors/*.icd "$vendors" 2>/dev/null
        export OCL_ICD_VENDORS="$vendors"
    fi
    # What a person needs to see where no driver is found.
    {
        ldconfig -p 2>/dev/null | grep -iE "opencl|libcuda|nvidia|amdocl|igdrcl"
        ls -l /dev/nvidia* /dev/dri /dev/kfd /etc/OpenCL/vendors
        for folder in $driver_folders; do ls -d "$folder"/*; done 2>/dev/null | grep -iE "opencl|nvidia|amdocl|igdrcl"
    } >"$logs/drivers.txt" 2>&1
}

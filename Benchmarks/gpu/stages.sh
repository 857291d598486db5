# Runs the stages and notes what became of them. Sourced by run-gpu.
#
# A stage NAME leaves its stdout in NAME.json, its stderr in NAME.log and a line "NAME|outcome|seconds" in `stages`.

failures=0
input=/dev/null
driver_mib=null
running=""
watcher=""

# stage NAME LIMIT COMMAND...: runs the command for at most LIMIT seconds.
stage() {
    name=$1 limit=$2
    shift 2
    printf '%-28s' "$name" >&2
    begin=$(date +%s)
    # In the background, because a shell heeds a signal while it waits, but not while a command runs.
    timeout -k 10 "$limit" "$@" <"$input" >"$logs/$name.json" 2>"$logs/$name.log" &
    running=$!
    wait $running
    status=$?
    running=""
    case $status in
    0) outcome=ok ;;
    124 | 137) outcome="stopped after $limit s" ;;
    *) outcome="failed with status $status" ;;
    esac
    note "$outcome" $(($(date +%s) - begin))
    [ $status -eq 0 ] && return
    failures=$((failures + 1))
    tail -n 5 "$logs/$name.log" >&2
    return 1
}

# Ends what runs. A terminal's Ctrl-C does not: timeout has left the terminal's group for one of its own, to stop a stage
# with the processes it started, and passes the signal on to all of these.
stop() {
    # shellcheck disable=SC2086
    kill $running $watcher 2>/dev/null
    wait
}

# not_run NAME REASON: a stage that this machine has no means for.
not_run() {
    name=$1
    printf '%-28s' "$name" >&2
    echo "$2" >"$logs/$name.log"
    note "not run: $2" 0
}

note() {
    echo "$name|$1|$2" >>"$logs/stages"
    echo "$1, $2 s" >&2
}

# rounds NAME LIMIT ARGUMENTS...: a stage of `smdim rounds`, which answers each line with the seconds of one round.
rounds() {
    name=$1 limit=$2
    shift 2
    input=$logs/turns
    yes "" | head -n $turns >"$input"
    stage "$name" "$limit" "$smdim" rounds "$@"
    ran=$?
    input=/dev/null
    [ $ran -eq 0 ] || return
    sed 1d "$logs/$name.json" | sort -g >"$logs/seconds"
    {
        echo "{"
        echo "  \"kernels\" : \"$(sed -n '1s/^ready //p' "$logs/$name.json")\","
        echo "  \"median\" : $(sed -n "$((turns / 2 + 1))p" "$logs/seconds"),"
        echo "  \"seconds\" : [$(paste -sd , "$logs/seconds")]"
        echo "}"
    } >"$logs/rounds"
    mv "$logs/rounds" "$logs/$name.json"
}

# watch_memory COMMAND...: runs it; driver_mib is then how much of the first NVIDIA GPU's memory it took at most, as the
# driver counts it, or null where there is no such driver, the command failed or it ended before the first sample.
watch_memory() {
    if ! before=$(used_mib); then
        "$@"
        return
    fi
    while sleep 1; do used_mib; done >"$logs/memory" &
    watcher=$!
    "$@"
    ran=$?
    kill $watcher
    wait $watcher 2>/dev/null
    watcher=""
    [ $ran -eq 0 ] || return
    driver_mib=$(awk -v before="$before" '
        $1 > most { most = $1 }
        END { print(most > before ? most - before : "null") }' "$logs/memory")
}

used_mib() { nvidia-smi --id=0 --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null; }

# value KEY: the first value of that name in the JSON on stdin, which has one key per line as smdim prints it.
value() { sed -n 's/^ *"'"$1"'" : //p' | sed '1q' | sed 's/,$//; s/^"//; s/"$//'; }

# device_field NAME: a field of the device that smdim chose.
device_field() {
    awk '/{/ { object = "" } { object = object $0 "\n" } /"isDefault" : true/ { is_it = 1 }
        /}/ && is_it { print object; exit }' "$logs/devices.json" | value "$1"
}

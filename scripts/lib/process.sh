# Starting and ending the sandbox's processes. Sourced; needs $dir.
#
# Each part runs in a session of its own, with the sandbox's folder as its
# working directory. DIR/pids/NAME holds "PID START" of the session's leader,
# START as in /proc/PID/stat. The kernel does not give a process id away while
# a session has it, so what is in such a session, with such a working
# directory, is ours: also nginx's workers after their master was killed.

# stat_field PID N: sets REPLY to a field of /proc/PID/stat, counted behind the
# name: state is 1, session 4, start 20.
stat_field() {
    local text=''
    REPLY=
    { read -r -d '' text < "/proc/$1/stat"; } 2> /dev/null || true
    [ -n "$text" ] || return 1
    # shellcheck disable=SC2086
    set -- "$2" ${text##*) }
    shift "$1"
    REPLY=$1
}

is_running() {
    stat_field "$1" 1 && [ "$REPLY" != Z ] && [ "$REPLY" != X ]
}

is_in_dir() {
    local where
    where=$(readlink "/proc/$1/cwd" 2> /dev/null) || return 1
    case ${where% (deleted)}/ in
    "$dir"/*) return 0 ;;
    esac
    return 1
}

# start_part NAME COMMAND...: in the background, holding nothing of ours.
start_part() {
    local name=$1 log=$dir/logs/$1.log pid
    shift
    (
        unset NOTIFY_SOCKET
        cd "$dir" || exit 1
        exec < /dev/null >> "$log" 2>&1
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done
        exec setsid "$@"
    ) &
    pid=$!
    disown "$pid"
    stat_field "$pid" 20
    echo "$pid $REPLY" > "$dir/pids/$name"
}

# Prints the leader's pid while the part's first process lives.
part_pid() {
    local pid start
    { read -r pid start < "$dir/pids/$1"; } 2> /dev/null || return 1
    is_running "$pid" && stat_field "$pid" 20 && [ "$REPLY" = "$start" ] \
        || return 1
    echo "$pid"
}

# Prints every living process of one part, its leader or not.
part_processes() {
    local leader start pid
    { read -r leader start < "$dir/pids/$1"; } 2> /dev/null || return 0
    if stat_field "$leader" 20 && [ "$REPLY" != "$start" ]; then
        return 0
    fi
    for pid in /proc/[0-9]*; do
        pid=${pid##*/}
        if stat_field "$pid" 4 && [ "$REPLY" = "$leader" ] \
            && is_running "$pid" && is_in_dir "$pid"; then
            echo "$pid"
        fi
    done
}

# Waits until a part has no process left; the time limit is in seconds.
is_gone_within() {
    local end=$((SECONDS + $2))
    while [ -n "$(part_processes "$1")" ]; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# stop_part NAME SIGNAL LIMIT_S: politely, then firmly.
stop_part() {
    local pid
    if pid=$(part_pid "$1"); then
        kill -"$2" "$pid" 2> /dev/null
    fi
    if ! is_gone_within "$1" "$3"; then
        say "$1 does not end; killing it"
        part_processes "$1" | xargs -r kill -KILL 2> /dev/null
        is_gone_within "$1" 5 || die "$1 cannot be killed; see its processes:" \
            "$(part_processes "$1" | tr '\n' ' ')"
    fi
    rm -f "$dir/pids/$1"
}

PARTS=(redis simulator nginx worker)

# The edge first, so that nothing new comes in; Redis last.
stop_all() {
    stop_part nginx QUIT 8
    stop_part worker TERM 12
    stop_part simulator TERM 3
    stop_part redis TERM 10
    rm -f "$dir/sim.pid" "$dir/line.sock" "$dir/redis.sock" "$dir/api.sock" \
        "$dir/nginx.pid" "$dir/worker.pid"
}

# Prints the parts of which a process lives.
running_parts() {
    local name
    for name in "${PARTS[@]}"; do
        [ -z "$(part_processes "$name")" ] || echo "$name"
    done
}

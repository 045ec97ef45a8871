# Installing, building and starting the parts in order. Sourced.

sim_port() { echo $((port + 1)); }

refuse_running() {
    local parts number
    if [ -d "$dir/pids" ]; then
        parts=$(running_parts | tr '\n' ' ')
        [ -z "$parts" ] || die "already running in $dir: ${parts% };" \
            "stop it with: $0 stop --dir $dir"
    fi
    for number in "$port" "$(sim_port)"; do
        ! is_port_taken "$number" || die "something listens on 127.0.0.1:$number;" \
            "choose another --port (it takes that one and the next)"
    done
}

install_packages() {
    local want
    command -v dpkg-query > /dev/null \
        || { say "no Debian: install the packages of scripts/packages.txt by hand"; return; }
    want=$("$top/scripts/packages" missing run | tr '\n' ' ')
    [ -n "$want" ] || return 0
    say "installing Debian packages: $want"
    say "no service of theirs is started"
    "$top/scripts/packages" install run \
        || die "could not install them; as root, with network:" \
            "apt-get install $want"
}

# One build at a time, whoever else starts a sandbox from here. TOMO_SAN=1
# takes sanitized binaries, TOMO_NGINX another nginx of the same version and
# options, TOMO_PRELOAD goes in front of it: so the tests run a whole sandbox
# sanitized. The module is built for Debian's nginx all the same: a build that
# tests share is not configured again under them.
build() {
    say "building"
    mkdir -p "$top/build"
    (
        flock 8
        unset TOMO_NGINX
        make -s -C "$top" -j"$(nproc)" SAN="${TOMO_SAN:-}" module worker \
            8>&- 9>&-
    ) 8> "$top/build/.lock" > "$dir/build.log" 2>&1 || {
        show_tail "$dir/build.log"
        die "the build failed; missing packages are installed by scripts/run" \
            "as root without --no-install"
    }
}

# await NAME LIMIT_S WHAT COMMAND...: polls; ends everything when it fails.
await() {
    local name=$1 end=$((SECONDS + $2)) what=$3
    shift 3
    until "$@"; do
        if ! part_pid "$name" > /dev/null; then
            give_up "$name" "$name ended while starting"
        fi
        if [ "$SECONDS" -ge "$end" ]; then
            give_up "$name" "$name is not ready: $what"
        fi
        sleep 0.1
    done
}

give_up() {
    local log
    for log in "$dir/logs/$1.log" "$dir/logs/error.log"; do
        [ "$1" = nginx ] || [ "$log" != "$dir/logs/error.log" ] || continue
        show_tail "$log"
    done
    stop_all
    die "$2"
}

redis_answers() {
    [ "$(redis_admin ping)" = PONG ]
}

simulator_answers() {
    [ "$(http_status GET "$(sim_port)" /sim/state)" = 200 ]
}

nginx_answers() {
    [ "$(http_status GET "$port" /tomo/status)" = 200 ]
}

api_get() {
    http_status GET "$port" "/api/v1$1" \
        "Authorization: Bearer $(cat "$dir/api-token")"
}

worker_answers() {
    [ -S "$dir/api.sock" ] && [ "$(api_get /sandbox/clock)" = 200 ]
}

demo_is_loaded() {
    [ "$(api_get /accounts/demo/definitions/scenario/welcome)" = 200 ]
}

# The simulator sends an empty signed webhook, as LINE's "Verify" does.
edge_knows_account() {
    http POST "$(sim_port)" /sim/verify | grep -q '"status":200'
}

start_all() {
    prepare_dir
    trap 'stop_all; exit 130' INT TERM HUP
    say "starting Redis, the LINE simulator, nginx and tomo-worker"

    start_part redis redis-server "$dir/redis.conf"
    await redis 60 "it does not answer PING on $dir/redis.sock" redis_answers

    start_part simulator node "$top/scripts/simulator/main.mjs" --dir "$dir" \
        --port "$(sim_port)" --edge-url "http://127.0.0.1:$port" --account demo
    await simulator 30 "GET http://127.0.0.1:$(sim_port)/sim/state" \
        simulator_answers

    start_part nginx env LD_PRELOAD="${TOMO_PRELOAD:-}" \
        "${TOMO_NGINX:-nginx}" -p "$dir" -e "$dir/logs/error.log" \
        -c "$dir/nginx.conf"
    await nginx 30 "GET http://127.0.0.1:$port/tomo/status" nginx_answers

    start_part worker "$dir/bin/tomo-worker" --config "$dir/worker.ini"
    await worker 30 "GET http://127.0.0.1:$port/api/v1/sandbox/clock" \
        worker_answers
    await worker 30 "the demo account's definitions" demo_is_loaded
    await worker 30 "the edge does not know the account demo yet" \
        edge_knows_account
    trap - INT TERM HUP
}

print_urls() {
    echo "Tomo is running in $dir"
    echo "  phone    http://127.0.0.1:$(sim_port)/"
    echo "  status   http://127.0.0.1:$port/tomo/status"
    if [ -f "$top/console/dist/index.html" ]; then
        echo "  console  http://127.0.0.1:$port/console/"
    fi
    echo "  API      http://127.0.0.1:$port/api/v1/ (token in $dir/api-token)"
    echo "  stop     $0 stop --dir $dir"
}

# Foreground: until Ctrl-C, or until a part ends.
watch_parts() {
    local name
    trap 'echo; stop_all; say "stopped"; exit 0' INT TERM HUP
    while :; do
        for name in "${PARTS[@]}"; do
            part_pid "$name" > /dev/null && continue
            if [ ! -e "$dir/pids/$name" ]; then
                say "stopped from elsewhere"
                exit 0
            fi
            give_up "$name" "$name ended"
        done
        sleep 1 9>&- &
        wait $!
    done
}

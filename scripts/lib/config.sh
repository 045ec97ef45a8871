# What lies in a sandbox's folder: secrets, made once, and the parts'
# configuration, written at each start. Sourced; needs $dir, $port, $top.

MAX_SOCKET_PATH_BYTES=107

random_hex() { od -An -v -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }

# Refuses a folder whose name would not survive in a configuration file, or
# is too long for a unix socket.
check_dir() {
    local LC_ALL=C socket=$dir/redis.sock
    case $dir in
    *[[:cntrl:]\"\'\\\$\;\#\{\}\:\`\*\?\[\]]*)
        die "the folder's name has a character that configuration files" \
            "give a meaning to; choose another --dir than: $dir" ;;
    esac
    [ ${#socket} -le $MAX_SOCKET_PATH_BYTES ] \
        || die "$socket is ${#socket} bytes long; a unix socket's path may" \
            "have $MAX_SOCKET_PATH_BYTES: choose a shorter --dir"
}

# secret FILE TEXT: kept when it exists; never half written.
secret() {
    [ -s "$dir/$1" ] && return
    printf '%s\n' "$2" > "$dir/$1.new"
    mv "$dir/$1.new" "$dir/$1"
}

make_secrets() {
    secret channel-id "2$(od -An -v -tu4 -N4 /dev/urandom | tr -d ' ')"
    secret channel-secret "$(random_hex 16)"
    secret bot-user-id "U$(random_hex 16)"
    secret edge.key "1:$(random_hex 32)"
    secret worker.key "1:$(random_hex 32)"
    secret api-token "$(random_hex 24)"
}

# conf_file NAME: standard input becomes DIR/NAME at once.
conf_file() {
    cat > "$dir/$1.new"
    mv "$dir/$1.new" "$dir/$1"
}

# As a person may: everything.
redis_admin() { redis-cli -s "$dir/redis.sock" "$@" 2> /dev/null; }

write_redis_conf() {
    conf_file redis.conf << END
# Written by scripts/run at each start.
port 0
unixsocket "$dir/redis.sock"
unixsocketperm 700
dir "$dir/redis"
daemonize no
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
save ""
maxmemory 512mb
maxmemory-policy noeviction
hash-max-listpack-value 1024
set-max-intset-entries 16384
stream-node-max-entries 1
aclfile "$dir/redis-users.acl"
END
}

write_nginx_conf() {
    local user='' console=''
    [ "$(id -u)" != 0 ] || user='user root;'
    if [ -f "$top/console/dist/index.html" ]; then
        console="location /console/ { alias \"$top/console/dist/\"; }"
    fi
    conf_file nginx.conf << END
# Written by scripts/run at each start.
load_module "$dir/bin/ngx_http_tomo_module.so";
$user
daemon off;
worker_processes 2;
worker_shutdown_timeout 5s;
pid "$dir/nginx.pid";
error_log "$dir/logs/error.log" info;
thread_pool default threads=4;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    access_log off;
    server_tokens off;
    client_body_temp_path "$dir/tmp/body";
    proxy_temp_path "$dir/tmp/proxy";
    fastcgi_temp_path "$dir/tmp/fastcgi";
    uwsgi_temp_path "$dir/tmp/uwsgi";
    scgi_temp_path "$dir/tmp/scgi";

    tomo_zone zone=tomo:16m "snapshot=$dir/edge.snap";
    tomo_redis "unix:$dir/redis.sock" user=edge "password_file=$dir/edge.pw";
    tomo_journal "$dir/journal/edge" keep=72h max=4g;
    tomo_key_file "$dir/edge.key";
    tomo_clock_file "$dir/clock";

    upstream tomo_api {
        server "unix:$dir/api.sock";
        keepalive 8;
    }

    server {
        listen 127.0.0.1:$port;
        location /line/webhook/ { tomo_webhook; }
        location /r/            { tomo_redirect; }
        location /s/            { tomo_survey; }
        location = /tomo/status { tomo_status; allow 127.0.0.1; deny all; }
        location /api/ {
            proxy_pass http://tomo_api;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host \$host;
            proxy_read_timeout 600s;
            client_max_body_size 64m;
        }
        $console
    }
}
END
}

write_worker_ini() {
    conf_file worker.ini << END
; Written by scripts/run at each start.
[worker]
run_dir = $dir
journal = $dir/journal
edge_key = $dir/edge.key
worker_key = $dir/worker.key
base_url = http://127.0.0.1:$port
log_format = text

[redis]
address = unix:$dir/redis.sock
user = worker
password_file = $dir/worker.pw
durability = strict

[line]
url = https://api.line.me
unix_socket = $dir/line.sock
ca_file = $dir/ca.pem

[api]
socket = $dir/api.sock
token_file = $dir/api-token

[sandbox]
clock_file = $dir/clock

[account demo]
number = 1
channel_id = $(cat "$dir/channel-id")
channel_secret_file = $dir/channel-secret
bot_user_id_file = $dir/bot-user-id
definitions = $top/conf/demo
zone = Asia/Tokyo
END
}

# Everything of the folder that must be there before a part starts. The
# binaries are copied: building again must not pull the file away from under
# a running process.
prepare_dir() {
    local file build=$top/build${TOMO_SAN:+-asan}
    mkdir -p "$dir"/{bin,journal/edge,logs,pids,redis,tmp}
    make_secrets
    # DIR/redis.sock is for everyone who may open it: tests and outsiders look
    # into a sandbox. What Tomo itself runs as has the least rights here too.
    "$top/scripts/redis-users" "$dir" \
        | sed 's/^user default off resetpass/user default on nopass/' | conf_file redis-users.acl
    write_redis_conf
    write_nginx_conf
    write_worker_ini
    for file in ngx_http_tomo_module.so tomo-worker; do
        cp "$build/$file" "$dir/bin/$file.new" \
            && mv "$dir/bin/$file.new" "$dir/bin/$file" \
            || die "cannot copy $build/$file to $dir/bin"
    done
}

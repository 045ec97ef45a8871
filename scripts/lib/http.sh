# Plain HTTP over bash's own sockets: a bare Debian has no curl. Sourced.

# http METHOD PORT PATH [HEADER...]: prints the status, then the body.
http() {
    local method=$1 port=$2 path=$3 header
    shift 3
    (
        exec 3<> "/dev/tcp/127.0.0.1/$port" || exit 1
        {
            printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n' \
                "$method" "$path" "$port"
            printf 'Content-Length: 0\r\nConnection: close\r\n'
            for header; do
                printf '%s\r\n' "$header"
            done
            printf '\r\n'
        } >&3
        timeout 10 cat <&3 | sed -e '1s/^[^ ]* \([0-9]*\).*/\1/;t' \
            -e '2,/^\r*$/d'
    ) 2> /dev/null
}

# http_status: as http, the status alone.
http_status() { http "$@" | head -n 1; }

is_port_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# shellcheck shell=bash disable=SC2154
# What scripts/backup and scripts/restore share: the worker's INI file, Redis by
# redis-cli, fingerprints of keys. Sourced; needs $config, $admin.

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# setting SECTION KEY: its value in the INI file, without a comment.
setting() {
    awk -v section="[$1]" -v key="$2" '
        /^\[/ { inside = ($0 == section) }
        inside && $0 ~ "^" key "[ \t]*=" {
            sub(/^[^=]*=[ \t]*/, ""); sub(/[ \t];.*/, ""); sub(/[ \t]+$/, "")
            print; exit
        }' "$config"
}

# redis COMMAND...: as the user `admin` when --admin names its password's file.
redis() {
    local address where=()
    address=$(setting redis address)
    case $address in
    unix:*) where=(-s "${address#unix:}") ;;
    *)      where=(-h "${address%:*}" -p "${address##*:}") ;;
    esac
    if [ -n "$admin" ]; then
        REDISCLI_AUTH=$(head -n 1 "$admin") redis-cli "${where[@]}" --user admin "$@"
    else
        redis-cli "${where[@]}" "$@"
    fi 2> /dev/null
}

# redis_info FIELD: of INFO.
redis_info() { redis info | tr -d '\r' | sed -n "s/^$1://p"; }

# One line for each key file: which it is, its key ids, and a fingerprint that
# shows nothing of the keys. Other keys open nothing of a backup, and another
# worker.key makes other retry keys.
key_prints() {
    local name file
    for name in edge_key worker_key; do
        file=$(setting worker "$name")
        [ -r "$file" ] || fail "cannot read $file: run this as root"
        echo "key $name $(cut -d: -f1 "$file" | paste -sd,)" \
            "$( (echo "tomo backup $name"; cat "$file") | sha256sum | cut -c1-16)"
    done
}

# The files of a backup with their sums, sorted.
sums() { (cd "$1" && find . -type f ! -name MANIFEST -print0 | sort -z | xargs -0r sha256sum); }

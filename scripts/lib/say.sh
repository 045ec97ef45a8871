# Messages of the sandbox's scripts. Sourced.

say() { echo "run: $*"; }

die() {
    echo "run: $*" >&2
    exit 1
}

# The end of a log, for the person who has to find out why.
show_tail() {
    if [ -s "$1" ]; then
        echo "--- the last lines of $1" >&2
        tail -n 20 "$1" >&2
        echo "---" >&2
    fi
}

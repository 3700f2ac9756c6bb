# Saying what goes on, giving up, and waiting until something listens or answers.
# shellcheck shell=bash

say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }
die() {
    echo "up: $*" >&2
    exit 1
}

port_up() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_port() { # NAME PORT SECONDS
    local i
    for ((i = 0; i < $3 * 5; i++)); do
        port_up "$2" && return 0
        sleep 0.2
    done
    tail -n 15 "$LOG/$1.log" >&2
    die "$1 does not listen on $2 after $3 s, see $LOG/$1.log"
}

# A service answers when it refuses us (401) or knows the path or not; 5xx and no answer mean: not yet.
wait_http() { # NAME URL SECONDS
    local end=$((SECONDS + $3)) code=none
    while [ "$SECONDS" -lt "$end" ]; do
        code=$(curl -s -o /dev/null -m 10 -w '%{http_code}' "$2" || true)
        case $code in 2* | 300 | 401 | 404) return 0 ;; esac
        sleep 0.25
    done
    tail -n 15 "$LOG/$1.log" >&2
    die "$1 does not answer at $2 after $3 s (last: $code), see $LOG/$1.log"
}

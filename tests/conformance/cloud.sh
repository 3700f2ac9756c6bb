#!/bin/sh
# A cloud in a folder, for tests: a file for each server, with what `list` says of it. Needs nothing but POSIX. The
# request is one line in which mita writes the keys in alphabetical order; a real provider reads it with a JSON parser.
set -eu
cd "$CLOUD"
echo "$1" >> asked
request=$(cat)

# What a test has in store for this verb; `exit` in it ends the call.
# shellcheck disable=SC1090  # written by the test
trouble() { [ ! -f "trouble.$1" ] || . "./trouble.$1"; }
value() { printf '%s' "$request" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }

trouble "$1"
case $1 in
list)
    printf '{"version": 1, "clock": "%s", "servers": [' "$(cat clock)"
    comma=
    for file in servers/*; do
        [ -f "$file" ] || continue
        printf '%s' "$comma"
        cat "$file"
        comma=,
    done
    echo ']}'
    ;;
create)
    name=$(value name)
    metadata=$(printf '%s' "$request" | sed 's/.*"metadata":\({[^}]*}\).*/\1/')
    printf '%s' "$request" > "requests/$name"
    printf '{"id": "vm-%s", "name": "%s", "status": "BUILD", "created": "%s", "metadata": %s, "addresses": []}\n' \
        "$name" "$name" "$(cat clock)" "$metadata" > "servers/vm-$name"
    trouble created
    printf '{"id": "vm-%s"}\n' "$name"
    ;;
delete)
    id=$(value id)
    if [ ! -f "servers/$id" ]; then
        echo "there is no server $id" >&2
        exit 66
    fi
    rm "servers/$id"
    echo '{}'
    ;;
*)
    exit 64
    ;;
esac
trouble "after.$1"

# Sourced by the scripts in this folder: call the API, and hold its answers to what they should be.
# Needs curl and python3, and a running Athena with demo data (make run). BASE_URL names another than the local one.

set -eu
BASE_URL=${BASE_URL:-http://localhost:8080/api/v1}
TOKEN=
ANSWER=

fail() {
    echo "FAILED: $1" >&2
    printf '%s\n' "$ANSWER" | cut -c 1-2000 >&2
    exit 1
}

# call STATUS METHOD PATH [JSON]: the answer's body goes to $ANSWER; another status ends the script.
call() {
    local expected=$1 method=$2 path=$3 body=${4:-} status
    set -- --silent --show-error --max-time 30 --request "$method" --write-out '\n%{http_code}'
    [ -z "$TOKEN" ] || set -- "$@" --header "Authorization: Bearer $TOKEN"
    [ -z "$body" ] || set -- "$@" --header 'Content-Type: application/json' --data "$body"
    ANSWER=$(curl "$@" "$BASE_URL$path") || fail "$method $path: no answer"
    status=${ANSWER##*$'\n'}
    ANSWER=${ANSWER%$'\n'*}
    [ "$status" = "$expected" ] || fail "$method $path: $status instead of $expected"
    echo "$status $method $path"
}

# value EXPRESSION: what a Python expression says about the last answer, `a`.
value() {
    printf '%s' "$ANSWER" | python3 -c '
import json, sys
a = json.load(sys.stdin)
print(json.dumps(eval(sys.argv[1], {"a": a})))' "$1"
}

# check EXPRESSION: ends the script unless the expression is true of the last answer.
check() {
    [ "$(value "bool($1)")" = true ] || fail "not so: $1"
    echo "    $1"
}

# day OFFSET: the date so many days from today.
day() {
    python3 -c 'import datetime, sys; print(datetime.date.today() + datetime.timedelta(int(sys.argv[1])))' "$1"
}

# log_in NAME: be this demo account from here on.
log_in() {
    TOKEN=
    call 200 POST /auth/login "{\"email\": \"$1@example.com\", \"password\": \"${1}123\"}"
    check 'a["token_type"] == "bearer" and a["expires_in"] > 0'
    TOKEN=$(value 'a["access_token"]' | tr -d '"')
}

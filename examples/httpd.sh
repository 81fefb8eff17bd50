#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/httpd serves files, refuses what it should, keeps connections, and
# ends by a signal. examples/curl, where it was built, downloads from it.
# shellcheck disable=SC1091,SC2154 # what comes from make
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/servers.sh"

command -v curl >/dev/null || {
  echo "curl is missing"
  exit 77
}
www=$scratch/www
mkdir -p "$www/sub"
echo "the first page" >"$www/index.html"
echo "a page below" >"$www/sub/index.html"
: >"$www/empty.txt"
head -c 3000001 /dev/zero | tr '\0' x >"$www/with space"
echo secret >"$scratch/secret"

start_server examples/httpd 127.0.0.1:0 "$www"
address=127.0.0.1:$port

get() { # curl's arguments
  curl -s --max-time 60 --path-as-is "$@"
}

serves() { # path file
  get "http://$address$1" | cmp - "$2" || fail "$1 is not $2"
}

answers() { # status, curl's arguments
  want=$1
  shift
  got=$(get -o /dev/null -w '%{http_code}' "$@")
  [ "$got" = "$want" ] || fail "$*: $got, not $want"
}

serves / "$www/index.html"
serves /index.html "$www/index.html"
serves '/index.html?a=b' "$www/index.html"
serves /sub/ "$www/sub/index.html"
serves /empty.txt "$www/empty.txt"
serves /with%20space "$www/with space"
answers 404 "http://$address/nothing"
answers 404 "http://$address/sub"
answers 400 "http://$address/../secret"
answers 400 "http://$address/%2e%2e/secret"
answers 400 "http://$address/sub/..%2f../secret"
answers 400 "http://$address//etc/passwd"
answers 400 "http://$address/a%00b"
answers 400 "http://$address/a%zz"
answers 405 -X POST -d x "http://$address/"
answers 414 "http://$address/$(head -c 3000 /dev/zero | tr '\0' a)"
[ "$(get -I "http://$address/with%20space" | tr -d '\r' |
  sed -n 's/^Content-Length: //p')" = 3000001 ] || fail "HEAD tells no length"

# One connection for several requests, one after the other.
opened=$(get -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects}\n' \
  "http://$address/" "http://$address/nothing" "http://$address/sub/" |
  tr '\n' ' ')
[ "$opened" = "1 0 0 " ] || fail "connections opened: $opened"

if [ -x examples/curl ]; then
  timeout 60 examples/curl 30 "http://$address/" "http://$address/nothing" \
    "http://$address/with%20space" >"$scratch/got" || fail "examples/curl"
  sort -o "$scratch/got" "$scratch/got"
  cat >"$scratch/want" <<END
http://$address/: 200, 15 bytes
http://$address/nothing: 404, 9 bytes
http://$address/with%20space: 200, 3000001 bytes
END
  sort "$scratch/want" | diff - "$scratch/got" || fail "examples/curl"
fi

# A request that was begun does not keep it from ending.
kill -TERM "$server"
await_server 0
finish

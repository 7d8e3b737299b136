#!/usr/bin/env bash
# The shop and its tests with PostgreSQL and Redis in place of what it brings along. They are Debian's,
# installed where they are missing; they run on free ports in a temporary folder, and are gone after.
set -euo pipefail
cd "$(dirname "$0")/../.."

binaries() { find /usr/lib/postgresql -name initdb -printf '%h\n' 2>/dev/null | sort --version-sort | tail -n 1; }

if [[ -z $(binaries) ]] || ! command -v redis-server >/dev/null; then
    if ((EUID != 0)); then
        echo 'real-servers.sh: PostgreSQL or Redis is missing; install `postgresql` and `redis-server`' >&2
        exit 1
    fi
    apt-get update --quiet --quiet
    # Not as services: the runlevel says so.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet \
        --no-install-recommends postgresql redis-server >/dev/null
fi

folder=$(mktemp --directory)
# PostgreSQL does not run as root.
as_user() { if ((EUID == 0)); then runuser --user postgres -- "$@"; else "$@"; fi; }
stop() {
    as_user "$(binaries)/pg_ctl" --pgdata "$folder/postgres" --mode immediate stop || true
    [[ -z ${redis:-} ]] || kill "$redis"
    wait
    rm --recursive "$folder"
} >/dev/null 2>&1
trap stop EXIT

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

postgres_port=$(free_port)
chmod 755 "$folder"
mkdir "$folder/postgres"
((EUID != 0)) || chown postgres "$folder/postgres"
as_user "$(binaries)/initdb" --pgdata "$folder/postgres" --username shop --auth trust --no-sync >/dev/null
as_user "$(binaries)/pg_ctl" --pgdata "$folder/postgres" --log "$folder/postgres/log" --wait start \
    --options "-c port=$postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off" >/dev/null

redis_port=$(free_port)
redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$folder" --save '' >"$folder/redis.log" &
redis=$!
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do sleep 0.1; done

export DATABASE_URL="postgres://shop@127.0.0.1:$postgres_port/postgres"
export REDIS_URL="redis://127.0.0.1:$redis_port"
cargo test --package order-service -- --test-threads 1
cargo run --quiet --package order-service

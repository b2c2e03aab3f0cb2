#!/bin/sh
# A database in the volume, made at the first start, with the user and the password of the environment.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
  "$bin/initdb" --pgdata "$data" --username "$POSTGRES_USER" --pwfile "${POSTGRES_PASSWORD_FILE:?}" \
    --auth-host scram-sha-256 --auth-local trust > /dev/null
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
fi
exec "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql

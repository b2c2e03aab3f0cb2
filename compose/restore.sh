#!/bin/sh
# Puts a backup into an installation that has no data yet, with its .env and compose/secrets: sh compose/restore.sh FOLDER
set -eu
folder=${1:?which folder is the backup in?}

docker compose run --rm --no-deps -T --entrypoint sh postgresql -ec \
  'cd /var/lib/postgresql/data
  [ -z "$(ls)" ] || { echo "there is a database already: docker compose down --volumes removes it, with all other data" >&2; exit 1; }
  chmod 700 .
  tar --extract --gzip' < "$folder/database.tar.gz"
docker compose run --rm --no-deps -T volumes --extract --gzip < "$folder/volumes.tar.gz"

#!/bin/sh
# Makes Temporal's two databases, or brings their tables to the version of this image. May be run again.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres-password)
export SQL_PASSWORD

for part in temporal visibility; do
  database=temporal
  [ "$part" = temporal ] || database=temporal_$part
  sql() { temporal-sql-tool --plugin postgres12 --ep postgresql --port 5432 --user temporal --db "$database" "$@"; }
  sql create
  sql setup-schema --version 0.0
  sql update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$part/versioned"
done

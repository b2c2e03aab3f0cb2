#!/bin/sh
# Backs up what lasts while all of it runs: sh compose/backup.sh FOLDER. docs/compose.md, "Keeping it"
set -eu
umask 077
folder=${1:?which folder is it to go to?}
mkdir -p "$folder"

# The database first, so that whatever Temporal speaks of is in the storage.
docker compose exec -T postgresql \
  pg_basebackup --username temporal --pgdata - --format tar --wal-method fetch --checkpoint fast --gzip > "$folder/database.tar.gz.part"
# A log may grow meanwhile. Uploads on their way are not whole; the keys are in compose/secrets.
docker compose run --rm --no-deps -T volumes --create --gzip --warning=no-file-changed --warning=no-file-removed \
  --exclude 'storage/.fairway-storage/*' --exclude secrets/VARIABLES_KEY --exclude secrets/PAYLOAD_KEYS \
  storage secrets keys environments > "$folder/volumes.tar.gz.part" || [ $? -eq 1 ] # 1: some were changing

for part in database volumes; do
  gzip --test "$folder/$part.tar.gz.part"
  mv "$folder/$part.tar.gz.part" "$folder/$part.tar.gz"
done

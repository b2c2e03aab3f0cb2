#!/bin/bash
# Runs docker-compose.yml with podman-compose where no image can be pulled: images that stand for the official ones are made
# first, under their names. Ends with what was shown, cleans up however it ends. docs/development.md, "The compose file"
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
rehearsal=$project/scripts/rehearsal
cache=$(realpath --canonicalize-missing "${FAIRWAY_CACHE:-$project/.cache}")/rehearsal

missing=''
for program in podman runc nft mmdebstrap tini go python3 openssl curl /usr/lib/podman/netavark /usr/lib/podman/aardvark-dns; do
  command -v "$program" > /dev/null || missing+=" $program"
done
[ -z "$missing" ] || { echo "install what is missing here:$missing" >&2; exit 1; }

# podman waits for the end of processes that are orphans, which not every machine's first process notices: this one does.
[ -n "${REAPED:-}" ] || REAPED=yes exec tini -s -g -- "$0" "$@"

mkdir -p "$cache"
exec 9> "$cache/lock"
flock --nonblock 9 || { echo "another rehearsal is running in $cache" >&2; exit 1; }

. "$rehearsal/surroundings.sh"
. "$rehearsal/images.sh"

work=$(mktemp -d)
ended() {
  local code=$?
  trap '' INT TERM HUP PIPE
  # shellcheck disable=SC2046
  kill $(jobs -p) 2> /dev/null || true
  # A command that was interrupted may still have its container, and with it the volumes.
  podman ps --all --quiet --filter label=io.podman.compose.project=fairway-rehearsal \
    | xargs --no-run-if-empty "$rehearsal/podman.sh" rm --force --time 5 > /dev/null
  [ ! -e "$work/.env" ] || compose --profile command down --volumes --timeout 5 > "$work/down" 2>&1 || tail -5 "$work/down"
  rm -rf "$work"
  exit $code
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

surroundings "$cache"
{
  stand_ins
  sh "$project/compose/new-settings.sh" > "$work/.env"
  printf '%s\n' WEB_UI_PORT API_PORT STAGE_PORT PRODUCTION_PORT | paste -d= - <(ports 4) >> "$work/.env"
  . "$rehearsal/scenario.sh"
} > >(
  # What ends the others ends this one last, when nobody writes any more.
  trap '' INT TERM HUP
  exec tee "$cache/transcript.txt"
) 2>&1

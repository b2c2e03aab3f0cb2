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
  # A command that was interrupted may still have its container, and a build what it mounted; all that is in this place is ours.
  podman ps --all --external --quiet | xargs --no-run-if-empty "$rehearsal/podman.sh" rm --force --time 5 > /dev/null
  [ ! -e .env ] || docker compose down --volumes --timeout 5 > "$work/down" 2>&1 || tail -5 "$work/down"
  podman volume prune --force > /dev/null
  cd /
  rm -rf "$work"
  exit $code
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

surroundings "$cache"
# As somebody else has it: what git knows, with the same dates, or every layer would be built again.
mkdir "$work/fairway"
git -C "$project" ls-files -z | tar --create --directory "$project" --null --files-from - | tar --extract --directory "$work/fairway"
cd "$work/fairway"
{
  stand_ins
  . "$rehearsal/scenario.sh"
} > >(
  # What ends the others ends this one last, when nobody writes any more.
  trap '' INT TERM HUP
  exec tee "$cache/transcript.txt"
) 2>&1

# shellcheck shell=bash disable=SC2154
# A backup while one execution waits and another one builds; all data lost; restored: both go on.

title 'A backup while it works'
fairway start Quality
wait_until 300 'Build & Unit Testing.*RUNNING' run_fairway show 4
say sh compose/backup.sh "$work/backup"
ls -sh "$work/backup" | tail -n +2

title 'Restored into an installation without data'
say docker compose down --volumes > /dev/null
podman volume ls --format '{{.Name}}' | grep fairway-rehearsal_ || echo 'no volume is left'
say sh compose/restore.sh "$work/backup"
up
fairway list
ends_well 4
fairway approve 2
wait_until 120 'fairway schedule 0000000002' run_fairway waiting
content
if sh compose/restore.sh "$work/backup" 2> "$work/refused"; then
  echo 'a restore over what is there was not refused'
  exit 1
fi
tail -1 "$work/refused"

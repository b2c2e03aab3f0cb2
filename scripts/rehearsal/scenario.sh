# shellcheck shell=bash disable=SC2154
# What is shown, one part after the other, each with what the one before has left.

title() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
say() { printf '\n$ %s\n' "$*"; "$@"; }
fairway() { printf '\n$ docker compose run --rm fairway %s\n' "$*"; run_fairway "$@"; }
run_fairway() { docker compose run --rm -T fairway "$@"; }
setting() { sed -n "s/^$1=//p" .env | tail -1; }
set_setting() { sed -i "/^$1=/d" .env && echo "$1=$2" | tee -a .env; }
container() { echo "fairway-rehearsal_$1_${2:-1}"; }

up() {
  say docker compose up --detach > /dev/null
  healthy postgresql temporal orchestrator build api environments
  libraries
}
# A new volume of Maven gets what this machine has, so that builds hang less on the network.
libraries() {
  [ -d ~/.m2/repository ] || return 0
  ! podman exec "$(container build)" test -e /var/lib/fairway/maven/repository || return 0
  tar --create --directory ~/.m2 repository | podman exec --interactive "$(container build)" tar --extract --directory /var/lib/fairway/maven
  echo "Maven's repository is filled from the one of this machine"
}
healthy() {
  local service
  for service; do
    timeout --foreground 300 "$rehearsal/podman.sh" wait --condition=healthy "$(container "$service")" || {
      echo "$service is not well"
      podman logs --tail 30 "$(container "$service")"
      return 1
    }
  done
  echo "healthy: $*"
}
content() {
  run_fairway doctor > "$work/doctor" || { cat "$work/doctor"; return 1; }
  echo 'fairway doctor: nothing to do'
}

# Until what is asked for says so, for at most so many seconds.
wait_until() {
  local seconds=$1 words=$2
  shift 2
  SECONDS=0
  until "$@" | grep -q "$words"; do
    [ $SECONDS -lt "$seconds" ] || { echo "not within $seconds s: $words"; "$@"; return 1; }
    sleep 3
  done
}
ends_well() {
  timeout --foreground 900 docker compose run --rm -T fairway watch "$1" > "$work/watch" || { cat "$work/watch"; return 1; }
  tail -1 "$work/watch"
}

for part in images pipeline scaled backup versions bucket; do
  . "$rehearsal/parts/$part.sh"
done
printf '\nall of it was shown\n'

#!/bin/bash
# podman for podman-compose, on machines without systemd or with a podman before 4.6. Those neither check the health of
# containers by themselves nor wait for it, so it is asked for here; and they do not start a container of which a dependency's
# dependency runs already ("--requires"), while podman-compose waits for dependencies itself.
export DISABLE_HC_SYSTEMD=true

case "$*" in
  --version*) echo 'podman version 4.6.0' ;;
  'wait --condition=healthy '*)
    for container in "${@:3}"; do
      until podman healthcheck run "$container" > /dev/null 2>&1; do sleep 1; done
    done
    ;;
  *)
    arguments=()
    for argument; do
      case "$argument" in
        --requires=*) ;;
        # podman-compose gives all containers of a service one such volume.
        *:/var/lib/fairway/work | *:/var/lib/fairway/work:*) arguments+=(/var/lib/fairway/work) ;;
        *) arguments+=("$argument") ;;
      esac
    done
    exec podman "${arguments[@]}"
    ;;
esac

# shellcheck shell=bash disable=SC2154
title 'Images'
say sh compose/new-settings.sh
sed -i '/_PORT=/d' .env
printf '%s\n' WEB_UI_PORT API_PORT STAGE_PORT PRODUCTION_PORT | paste -d= - <(ports 4) >> .env

# One after the other: podman-compose would build all services at once, and each layer as often as it is used.
build_images() {
  local service
  for service in orchestrator build environments; do
    docker compose build "$service" > "$work/build.log" 2>&1 || { tail -40 "$work/build.log"; return 1; }
  done
}
printf '\n$ docker compose build\n'
build_images
podman images --format '{{.Repository}}:{{.Tag}}  {{.Size}}' | grep -v '<none>' | sort

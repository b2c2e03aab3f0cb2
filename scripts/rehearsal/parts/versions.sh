# shellcheck shell=bash disable=SC2154
# A newer version and back, while an execution waits: each carries it on. The newer one differs in its number only.

version() { docker compose exec -T orchestrator node -p 'require("./package.json").version'; }
images_of_version() {
  local image
  for image in fairway fairway-build fairway-environments; do
    printf '%s\n' "FROM localhost/$image:latest" 'USER root' \
      "RUN sed -i 's/^  \"version\": \".*\"/  \"version\": \"$1\"/' package.json" 'USER node' \
      | podman build --quiet --isolation chroot --tag "localhost/$image:$1" --file - "$work/bin" > /dev/null
  done
}

title 'Upgrade, and back'
before=$(version)
images_of_version 99.0.0
set_setting FAIRWAY_TAG 99.0.0
up
[ "$(version)" = 99.0.0 ]
echo "version $(version) instead of $before"
content
fairway schedule 2 --now --yes
wait_until 120 'fairway cse start 0000000002' run_fairway waiting

set_setting FAIRWAY_TAG latest
up
[ "$(version)" = "$before" ]
echo "version $(version) again"
fairway cse start 2
ends_well 2
content
podman rmi localhost/fairway{,-build,-environments}:99.0.0 > /dev/null

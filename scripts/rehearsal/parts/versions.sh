# shellcheck shell=bash disable=SC2154
# A newer version and back, while an execution waits: each carries it on.

version() { docker compose exec -T orchestrator node bin/fairway.mjs --version; }

title 'Upgrade, and back'
before=$(version)
sed -i 's/^  "version": ".*"/  "version": "99.0.0"/' package.json
set_setting FAIRWAY_TAG 99.0.0
printf '\n$ docker compose build\n'
build_images
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

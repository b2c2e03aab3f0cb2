# shellcheck shell=bash disable=SC2154
# What is shown: everything comes up well, doctor is content, a production pipeline runs to its end while workers die, the API
# and the Web UI answer, all ends in good order, and what was known is known after the next start.

say() { printf '\n$ docker compose %s\n' "$*"; quietly "$@"; }
# With what podman-compose says of its own only where it fails.
quietly() { compose "$@" 2> "$work/words.$BASHPID" || { local code=$?; cat "$work/words.$BASHPID" >&2; return $code; }; }
# podman-compose has to be told of the profile; docker compose knows by the name.
fairway() { printf '\n$ docker compose run --rm fairway %s\n' "$*"; run_fairway "$@"; }
run_fairway() { quietly --profile command run --rm -T fairway "$@"; }
setting() { sed -n "s/^$1=//p" "$work/.env" | tail -1; }
container() { echo "fairway-rehearsal_$1_1"; }
title() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }

checked=(postgresql temporal orchestrator build api environments)
healthy() {
  local service
  for service; do
    timeout 300 "$rehearsal/podman.sh" wait --condition=healthy "$(container "$service")" || {
      echo "$service is not well"
      podman logs --tail 30 "$(container "$service")"
      return 1
    }
  done
  echo "healthy: $*"
}
# Dies as with its host, and is replaced.
dies() {
  echo "-- $1 is killed and replaced"
  podman kill "$(container "$1")" > /dev/null
  quietly up --detach --no-deps --force-recreate "$1" > /dev/null
  healthy "$1"
}

title 'Images'
# One after the other: podman-compose would build all services at once, and each layer as often as it is used.
for service in orchestrator build environments; do
  quietly build "$service" > "$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }
done
podman images --format '{{.Repository}}:{{.Tag}}  {{.Size}}' | grep -v '<none>' | sort

title 'Up'
say up --detach > /dev/null
healthy "${checked[@]}"
fairway apply -f fairway.yaml --yes
fairway doctor

title 'A production pipeline'
fairway start Production --watch > "$work/watch" & watching=$!
asked=''
while kill -0 $watching 2> /dev/null; do
  sleep 3
  grep -q 'Build & Unit Testing *RUNNING' "$work/watch" && [[ $asked != *build* ]] && asked+=' build' && dies build
  waits=$(run_fairway waiting)
  for decision in approve 'schedule --now --yes' 'cse start'; do
    [[ $waits == *"fairway ${decision%% *}"* && $asked != *"${decision%% *}"* ]] || continue
    asked+=" ${decision%% *}"
    [ "$decision" != approve ] || dies orchestrator
    # shellcheck disable=SC2086
    fairway $decision
  done
done
cat "$work/watch"
wait $watching
fairway doctor
fairway list

title 'API, Web UI, the site'
token=$(run_fairway token create --role deployment-manager --expires 10m)
curl --silent --show-error --fail --header "Authorization: Bearer $token" --header 'x-api-key: fairway' \
  --header 'x-gw-ims-org-id: FAIRWAY@AdobeOrg' "http://127.0.0.1:$(setting API_PORT)/api/program/1001/pipeline/2001/executions" | head -c 300
echo
for page in "$(setting WEB_UI_PORT)/namespaces/default/workflows" "$(setting WEB_UI_PORT)/api/v1/namespaces/default"; do
  echo "$page: $(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$page")"
done
for port in "$(setting STAGE_PORT)" "$(setting PRODUCTION_PORT)"; do
  curl --silent --fail --header 'Host: site.example.com' "http://127.0.0.1:$port/content/site/en.html" | grep -o 'content="site [^"]*"'
done

title 'Down, and up again'
say stop > /dev/null
podman ps --all --filter name=fairway-rehearsal --format '{{.Names}}: {{.Status}}'
say down > /dev/null
say up --detach > /dev/null
healthy "${checked[@]}"
fairway list
fairway doctor > "$work/doctor" || { cat "$work/doctor"; exit 1; }
tail -1 "$work/doctor"
echo 'all of it was shown'

# shellcheck shell=bash disable=SC2154
# Everything comes up well, doctor is content, a production pipeline runs to its end while workers die, the API and the Web UI
# answer, all ends in good order, and what was known is known after the next start.

# Dies as with its host, and is replaced.
dies() {
  echo "-- $1 is killed and replaced"
  podman kill "$(container "$1")" > /dev/null
  docker compose up --detach --no-deps --force-recreate "$1" > /dev/null
  healthy "$1"
}

title 'Up'
up
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
say docker compose stop > /dev/null
podman ps --all --filter name=fairway-rehearsal --format '{{.Names}}: {{.Status}}'
say docker compose down > /dev/null
up
fairway list
content

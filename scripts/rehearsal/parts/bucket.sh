# shellcheck shell=bash disable=SC2154
# A new installation that keeps artifacts in a bucket.

title 'Storage in a bucket'
say docker compose down --volumes > /dev/null
set_setting COMPOSE_FILE docker-compose.yml:compose/s3.yml
set_setting STORAGE 's3://fairway/storage?endpoint=http://objects:7070&region=us-east-1&pathStyle=true'
set_setting ORCHESTRATORS 1
set_setting BUILD_WORKERS 1
up
fairway apply -f fairway.yaml --yes
fairway start Production
wait_until 600 'fairway approve 0000000001' run_fairway waiting
fairway approve
wait_until 120 'fairway schedule 0000000001' run_fairway waiting
fairway schedule --now --yes
wait_until 120 'fairway cse start' run_fairway waiting
fairway cse start
ends_well 1
fairway artifacts 1
run_fairway logs 1 build | tail -3
content
podman exec "$(container objects)" find /data/fairway -type f ! -path '*/logs/*' | sort

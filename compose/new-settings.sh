#!/bin/sh
# Makes .env and compose/secrets, with new secrets; leaves what is there as it is.
set -eu
umask 077
cd "$(dirname "$0")/.."
random() { openssl rand "$@" | tr -d '\n'; }
# Only the owner of the folder gets at the files, which the users of containers must be able to read.
secret() { [ -e "compose/secrets/$1" ] || { printf '%s' "$2" > "compose/secrets/$1" && chmod 644 "compose/secrets/$1"; }; }

[ -e .env ] || cp .env.example .env
mkdir -p compose/secrets
secret postgres-password "$(random -hex 24)"
# Encrypts secret variables of pipelines.
secret VARIABLES_KEY "$(random -base64 32)"
# What Temporal keeps is encrypted where there is a key, such as "2026-11:KEY": docs/security.md. The Web UI then shows little.
secret PAYLOAD_KEYS ''
# Of a bucket elsewhere, where no role of this machine has them.
secret aws-credentials ''
# Of the server of compose/s3.yml, which takes them in another form than its clients.
if [ ! -e compose/secrets/objects.env ]; then
  id=$(random -hex 10) key=$(random -hex 20)
  secret objects.env "ROOT_ACCESS_KEY=$id
ROOT_SECRET_KEY=$key
"
  secret objects-credentials "[default]
aws_access_key_id = $id
aws_secret_access_key = $key
"
fi

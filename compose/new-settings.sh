#!/bin/sh
# Prints .env.example with new secrets in it: sh compose/new-settings.sh > .env
set -eu
random() { openssl rand "$@" | tr -d '\n'; }

umask 077
sed \
  -e "s|^POSTGRES_PASSWORD=.*|POSTGRES_PASSWORD=$(random -hex 24)|" \
  -e "s|^VARIABLES_KEY=.*|VARIABLES_KEY=$(random -base64 32)|" \
  "$(dirname "$0")/../.env.example"

# shellcheck shell=bash disable=SC2154
# Images that stand for the official ones, under the names that Dockerfile and docker-compose.yml give.

image_of() { cat "$project/docker-compose.yml" "$project/compose/s3.yml" | sed -n "s|^ *image: \(docker.io/$1:.*\)|\1|p" | head -1; }

stand_ins() {
  local node postgres tools temporal ui objects
  node=$(sed -n 's/^ARG NODE_IMAGE=//p' "$project/Dockerfile") postgres=$(image_of library/postgres)
  tools=$(image_of temporalio/admin-tools) temporal=$(image_of temporalio/server) ui=$(image_of temporalio/ui)
  objects=$(image_of versity/versitygw)
  local names=(node postgres admin-tools server ui versitygw) images=("$node" "$postgres" "$tools" "$temporal" "$ui" "$objects") missing='' index
  for index in "${!names[@]}"; do is_made "${names[index]}" "${images[index]}" || missing=yes; done
  [ -n "$missing" ] || return 0
  local server_version=v${temporal##*:} ui_version=v${ui##*:}

  if ! podman image exists localhost/rehearsal/debian; then
    mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$work/debian.tar"
    podman import --quiet "$work/debian.tar" localhost/rehearsal/debian > /dev/null
    rm "$work/debian.tar"
  fi

  mkdir -p "$work/context/certificates"
  csplit --quiet --elide-empty-files --prefix "$work/context/certificates/" --suffix-format %03d.crt \
    /etc/ssl/certs/ca-certificates.crt '/-BEGIN CERTIFICATE-/' '{*}'
  cp "$(command -v node)" "$work/context/node"
  cp -r "$(npm root --global)/npm" "$work/context/npm"
  stand_in node "$node"

  cp "$rehearsal/postgres.sh" "$rehearsal/temporal.sh" "$work/context"
  stand_in postgres "$postgres"

  from_source "go.temporal.io/server/cmd/tools/sql@$server_version"
  from_source "go.temporal.io/server/cmd/server@$server_version"
  cp -r "$(GOMODCACHE=$cache/go/modules go mod download -json "go.temporal.io/server@$server_version" \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')/schema" "$work/context/schema"
  stand_in admin-tools "$tools"
  stand_in server "$temporal"
  from_source "github.com/temporalio/ui-server/v2/cmd/server@$ui_version"
  stand_in ui "$ui"
  from_source "github.com/versity/versitygw/cmd/versitygw@${objects##*:}"
  stand_in versitygw "$objects"
}

# Made once: with the same files and new dates they, and all that is built on them, would be made again.
is_made() { [ "$(podman image inspect --format '{{index .Labels "made-of"}}' "$2" 2> /dev/null)" = "$(made_of "$1")" ]; }
made_of() {
  local scripts
  scripts=$(sed -n 's/^COPY \([a-z]*\.sh\) .*/\1/p' "$rehearsal/$1.Containerfile")
  (cd "$rehearsal" && sha256sum "$1.Containerfile" $scripts | sha256sum | cut -c1-16)
}

stand_in() {
  ! is_made "$1" "$2" || return 0
  echo "making $2"
  podman build --quiet --isolation chroot --network host --label "made-of=$(made_of "$1")" --file "$rehearsal/$1.Containerfile" --tag "$2" "$work/context" > /dev/null
}

# Into the context, under the last part of its path; it takes minutes, once.
from_source() {
  local program=${1%@*}
  local kept=$cache/go/bin/${program//\//-}-${1#*@}
  if [ ! -x "$kept" ]; then
    echo "building $1"
    GOMODCACHE=$cache/go/modules GOCACHE=$cache/go/cache GOBIN=$cache/go/bin CGO_ENABLED=0 \
      GOFLAGS='-buildvcs=false -modcacherw -trimpath' go install -ldflags '-s -w' "$1"
    mv "$cache/go/bin/${program##*/}" "$kept"
  fi
  cp "$kept" "$work/context/${program##*/}"
}

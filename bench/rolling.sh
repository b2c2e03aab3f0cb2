#!/usr/bin/env bash
# A rolling deployment as a careful shell script does it: author first, then leg by leg, each dispatcher out of the load
# balancer meanwhile, package and configuration at once. It looks every 200 ms. What it is to do is in its environment:
#   PACKAGE CONFIGURATION CREDENTIALS AUTHOR LEGS SOCKET BACKEND PROBE_HOST PROBE_PATH FLUSH
# LEGS: one leg a line, "<publish URL> <server> <dispatcher URL> <server root> <file with httpd's environment>".
set -euo pipefail
POLL=0.2

balancer() {
  perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no HAProxy: $!\n"; print $s "$ARGV[1]\n"; print while <$s>' \
    "$SOCKET" "$1"
}

# Field of "show stat" for one server: 5 = sessions, 18 = status.
stat_of() { balancer "show stat" | grep "^$BACKEND,$1," | cut -d, -f"$2"; }

install_package() {
  local url=$1 path
  path=$(curl -sSf -u "$CREDENTIALS" -F "package=@$PACKAGE" -F force=true "$url/crx/packmgr/service/.json/?cmd=upload" |
    sed -n 's/.*"path":"\([^"]*\)".*/\1/p')
  curl -sSf -u "$CREDENTIALS" -X POST "$url/crx/packmgr/service/.json$path?cmd=install" | grep -q '"success":true'
  until curl -sSf -u "$CREDENTIALS" "$url/crx/packmgr/installstatus.jsp" | grep -q '"finished":true'; do sleep $POLL; done
}

configure() (
  local root=$1
  source "$2"
  rm -rf "$root.backup"
  mkdir "$root.backup"
  cp -a "$root"/conf* "$root.backup/"
  unzip -qo "$CONFIGURATION" -d "$root"
  "$HTTPD" -t -d "$root" -f conf/httpd.conf 2>/dev/null
  "$HTTPD" -k graceful -d "$root" -f conf/httpd.conf 2>/dev/null
)

install_package "$AUTHOR"
while read -r publish server dispatcher root environment; do
  balancer "set server $BACKEND/$server state drain" >/dev/null
  until [ "$(stat_of "$server" 5)" = 0 ]; do sleep $POLL; done
  balancer "set server $BACKEND/$server state maint" >/dev/null
  configure "$root" "$environment" &
  install_package "$publish"
  wait $!
  curl -sSf -o /dev/null -X POST -H 'Host: flush' -H 'CQ-Action: Delete' -H "CQ-Handle: $FLUSH" \
    "$dispatcher/dispatcher/invalidate.cache"
  until curl -sf -o /dev/null -H "Host: $PROBE_HOST" "$dispatcher$PROBE_PATH"; do sleep $POLL; done
  balancer "set server $BACKEND/$server state ready; set server $BACKEND/$server health down" >/dev/null
  until [ "$(stat_of "$server" 18)" = UP ]; do sleep $POLL; done
done <<<"$LEGS"

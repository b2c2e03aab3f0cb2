# shellcheck shell=bash disable=SC2154
# podman with a place of its own, and podman-compose.

surroundings() {
  local place=$1/podman
  mkdir -p "$place"
  cat > "$place/containers.conf" <<CONF
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
tmp_dir = "$place/tmp"
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=8192:8192"]
log_driver = "k8s-file"
[network]
network_backend = "netavark"
network_config_dir = "$place/networks"
CONF
  cat > "$place/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$place/storage"
runroot = "$place/run"
CONF
  export CONTAINERS_CONF=$place/containers.conf CONTAINERS_STORAGE_CONF=$place/storage.conf
  if [ ! -x "$1/venv/bin/podman-compose" ]; then
    python3 -m venv "$1/venv"
    "$1/venv/bin/pip" --quiet install podman-compose==1.6.0
  fi
  export PODMAN_COMPOSE=$1/venv/bin/podman-compose
  mkdir "$work/bin"
  ln -s "$rehearsal/docker" "$work/bin/docker"
  export PATH=$work/bin:$PATH
}

# Free ones, a line each.
ports() {
  python3 - "$1" <<'PY'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
for each in held: print(each.getsockname()[1])
PY
}

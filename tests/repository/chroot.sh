# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# A fresh Debian 12 in a folder, for scripts that source this. Needs root, debootstrap and a network; exit 77 (skipped)
# without. Packages come from where this machine has its own; those that it has still at hand are not fetched again.

skip() { echo "skipped: $*" && exit 77; }

# What stands in the way of it, if anything.
chroot_lacks() {
  [[ $EUID -eq 0 ]] || { echo "root, for chroot" && return; }
  command -v debootstrap >/dev/null || { echo "debootstrap" && return; }
  [[ -n $(chroot_mirror) ]] || echo "a mirror of Debian in /etc/apt"
}

chroot_mirror() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null || true; } |
    sed -nE 's#^(URIs: *|deb +(\[[^]]*\] +)?)(http[^ ]*/debian/?)( .*)?$#\3#p' | sed -n 1p
}

# chroot_make FOLDER: the base system.
chroot_make() {
  debootstrap --variant=minbase bookworm "$1" "$(chroot_mirror)" >"$1.log" 2>&1 || { tail -n 5 "$1.log" && skip "debootstrap failed"; }
}

# chroot_enter FOLDER: what a running system has. chroot_leave FOLDER, from a trap, takes it away again.
chroot_enter() {
  local kept
  mount -t proc proc "$1/proc"
  mount -t sysfs sys "$1/sys"
  mount --bind /dev "$1/dev"
  mkdir -p "$1/dev/shm"
  mount -t tmpfs shm "$1/dev/shm"
  mount -t devpts pts "$1/dev/pts"
  # What Debian's installer writes and debootstrap does not: without it each start of MPI waits for a name server.
  [[ -e $1/etc/hosts ]] || printf '127.0.0.1\tlocalhost %s\n' "$(hostname)" >"$1/etc/hosts"
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  for kept in /var/cache/apt/archives/*.deb; do # apt compares their hashes; not mounted, since apt would wait for the host's lock
    [[ ! -e $kept ]] || cp -ln "$kept" "$1/var/cache/apt/archives/" 2>/dev/null || cp -n "$kept" "$1/var/cache/apt/archives/"
  done
}

chroot_leave() {
  local place
  for place in proc sys dev/pts dev/shm dev; do umount "$1/$place" 2>/dev/null || true; done
}

# chroot_run FOLDER COMMAND: a line of the shell, with nothing in the environment.
chroot_run() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" \
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 chroot "$1" bash -c "$2"
}

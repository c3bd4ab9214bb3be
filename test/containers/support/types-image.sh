#!/usr/bin/env bash
# Builds the image in which resource types are tried: the base image with package managers, init systems and cron, all of
# them Debian packages, by the container's own apt with this machine's sources and network. Prints the image's name.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/derived-image.sh" types /etc/apt <<'BUILD'
packages="dnf createrepo-c rpm zypper pacman-package-manager libarchive-tools python3-pip python3-setuptools npm gnupg"
packages="$packages systemd-sysv dbus openrc cron kmod"
apt-get update -q
apt-get install -y -q --no-install-recommends $packages
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /usr/share/doc/* /usr/share/man/*
BUILD

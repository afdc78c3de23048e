#!/bin/busybox sh
# The first process of a kernel under test: records for five seconds what this machine does and says on the console what came.
# Lines for the host begin with `kernel-test:`.
/bin/busybox mkdir -p /proc /sys /dev /tmp /bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export HOME=/tmp PATH=/bin LC_ALL=C.UTF-8
cd /everflame

echo "kernel-test: booted $(uname -r) on $(nproc) CPUs after $(cut -d' ' -f1 /proc/uptime) s"
/workload 100000 /tmp/truth &
workload=$!
/node packages/cli/src/main.ts record --all --duration 5s --folded --output /tmp/folded 2>/tmp/errors
echo "kernel-test: exit $?"
while read -r line; do echo "kernel-test: stderr $line"; done </tmp/errors
kill $workload
if [ -f /tmp/folded ]; then
	echo "kernel-test: samples $(awk '{ sum += $NF } END { print sum + 0 }' /tmp/folded)"
	echo "kernel-test: named $(grep -E 'level_01;.*level_30;planted_' /tmp/folded | awk '{ sum += $NF } END { print sum + 0 }')"
	echo "kernel-test: kernel $(grep -E '_\[k\]' /tmp/folded | awk '{ sum += $NF } END { print sum + 0 }')"
	grep planted_alpha /tmp/folded | head -n 1 | while read -r line; do echo "kernel-test: stack $line"; done
fi
dmesg | grep -iE 'BUG:|WARNING:|Oops:|rcu.*stall|lockup' | while read -r line; do echo "kernel-test: dmesg $line"; done
echo "kernel-test: over after $(cut -d' ' -f1 /proc/uptime) s"
poweroff -f

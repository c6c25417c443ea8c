#!/bin/sh
# First process of the guest, on this machine's files under a memory file system: what an init would do,
# and then the tests. Arguments come by the kernel's command line, which becomes the environment.
# shellcheck disable=SC2154  # vm_repo and vm_python stand on the kernel's command line
set -eu
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t debugfs debug /sys/kernel/debug
mount -t configfs config /sys/kernel/config
case $vm_repo in
/tmp/*) ;; # the checkout lies there: all files are under a memory file system anyway
*) mount -t tmpfs tmp /tmp ;;
esac
mount -t tmpfs run /run
mkdir -p /dev/shm /run/lock
ip link set lo up
mount -o remount,rw / 2>/dev/null || :
chmod 755 /root # an interpreter below it has to be within reach of the unprivileged tests
/lib/systemd/systemd-udevd --daemon
cd "$vm_repo"
export USBHIDUPS_GUEST=1 HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
"$vm_python" -m pytest -p tests.vm.guest -p no:cacheprovider -q tests/vm </dev/null || echo "pytest: status $?"
busybox poweroff -f

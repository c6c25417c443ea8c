#!/bin/sh
# keep-driver DRIVER NAME USER: run a driver in the foreground and start it again whenever it ends.
#
# A driver that is away for long while the UPS is on battery makes upsmon shut the host down, so the pause is
# short (spec 4.4). upsmon itself must never be kept like this: a fresh one deletes the kill-power flag.
# An ordinary stop is SIGTERM to this script.
driver=$1
name=$2
user=$3
child=

stop() {
  trap '' TERM INT
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null
    wait "$child"
  fi
  exit 0
}
trap stop TERM INT HUP

while :; do
  "$driver" -a "$name" -F -u "$user" </dev/null >/dev/null 2>&1 &
  child=$!
  wait "$child"
  sleep 2 &
  child=$!
  wait "$child"
done

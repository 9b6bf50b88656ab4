# inside.sh HERE RUNTIME PROGRAM: the first process of a lab. It dresses the lab as a host, runs
# the runtime's script as a child, and waits: as process 1 it must take over orphans.
here=$1
runtime=$2
program=$3

# The lab's directory is seen by nobody else, since it lies on a mount of the lab.
lab=/run/lab
mount -t tmpfs -o mode=0755 run /run
mkdir -p $lab $lab/opt $lab/cgroup
mount -t tmpfs -o mode=0700 lab $lab
mkdir -p $lab/opt $lab/cgroup
# Where state lies; on a host without these directories it would otherwise lie on the host itself.
for directory in /var/lib/cni /etc/cni /var/lib/containers; do
  mkdir -p $directory
  mount -t tmpfs -o mode=0755 state $directory
done

# /sys shows the network of whoever mounts it.
mount --rbind /sys/fs/cgroup $lab/cgroup
mount -t sysfs sys /sys
mount --rbind $lab/cgroup /sys/fs/cgroup

# /opt/cni/bin is where runtimes look; what else is in /opt stays visible.
mount --rbind /opt $lab/opt
mount -t tmpfs -o mode=0755 opt /opt
for entry in $lab/opt/*; do
  [ -d "$entry" ] && [ "$entry" != $lab/opt/cni ] || continue
  mkdir "/opt/$(basename "$entry")"
  mount --rbind "$entry" "/opt/$(basename "$entry")"
done
mkdir -p /opt/cni/bin
if [ -d "$program" ]; then
  cp "$program"/* /opt/cni/bin/
else
  cp "$program" /opt/cni/bin/cni
  for name in $("$program"); do ln /opt/cni/bin/cni "/opt/cni/bin/$name"; done
fi

ip link set lo up
status=0
sh -eu -c 'here=$1; . "$1/words"; . "$1/$2.sh"' lab "$here" "$runtime" || status=$?
if [ $status -eq 0 ]; then
  echo passed
else
  for log in $lab/*.log; do
    [ ! -s "$log" ] || { echo "== $log" && tail -n 20 "$log"; }
  done
  echo "failed with $status"
fi
exit $status

#!/bin/busybox sh
# First process of the guest: drivers, this machine's files under those of the image, network, udev; then the program on the kernel's command line.
export PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
while read -r module; do $b insmod "/lib/$module" || echo "no module $module"; done </modules
# Not a UART: those are ports where boards may be. Until now there was no console, and no standard input: udevd would lose what it opens in its place.
exec </dev/null >/dev/hvc0 2>&1
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro machine /host
$b mount -t tmpfs tmpfs /scratch
$b mkdir /scratch/upper /scratch/work
$b mount -t overlay -o lowerdir=/packages:/host,upperdir=/scratch/upper,workdir=/scratch/work overlay /guest
for folder in proc sys dev; do $b mount --move /$folder /guest/$folder; done
$b mount -t tmpfs tmpfs /guest/run
$b ip link set lo up
$b ip link set eth0 up
$b ip addr add 10.0.2.15/24 dev eth0
$b ip route add default via 10.0.2.2
for word in $($b cat /guest/proc/cmdline); do
  case $word in
    usb.node=*) node=${word#usb.node=} ;;
    usb.program=*) program=${word#usb.program=} ;;
    usb.argument=*) argument=${word#usb.argument=} ;;
  esac
done
$b chroot /guest /usr/lib/systemd/systemd-udevd --daemon
$b chroot /guest /usr/bin/udevadm control --log-priority=err
$b chroot /guest "$node" --enable-source-maps "$program" "$argument" 2>&1
echo "guest: the program ended with $?"
$b poweroff -f

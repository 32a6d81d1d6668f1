#!/bin/sh
# Adds a kernel to a Debian root, and an initrd that is as small as can be. Runs inside that root while
# mmdebstrap makes it. In: how the version of the kernel begins. Out: /boot/vmlinuz and /boot/initrd.
set -eu
cd /tmp
image=$(apt-cache pkgnames "linux-image-$1" | grep -E '^linux-image-[0-9].*[0-9]-cloud-amd64$' | sort -V | tail -n 1)
version=${image#linux-image-}
# From Linux 7 on, the image is empty and depends on the packages of its parts.
parts=$(apt-cache depends "$image" | sed -nE 's/^ *Depends: (linux-(base|binary|modules)-)/\1/p')
# shellcheck disable=SC2086
apt-get download "$image" $parts
# Unpacked, not installed: the packages' scripts would make an initrd of a hundred times the size.
for file in linux-*.deb; do
  dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink -C /
  rm "$file"
done
depmod "$version"
for file in "/boot/vmlinuz-$version" "/lib/modules/$version/vmlinuz"; do
  if [ -e "$file" ]; then mv "$file" /boot/vmlinuz; fi
done

mkdir -p initrd/bin initrd/dev initrd/modules initrd/root
cp "$(command -v busybox)" initrd/bin/busybox
# The disks are virtio's. The names are numbered: a module comes after those that it needs.
number=100
modprobe -S "$version" --show-depends -a virtio_pci virtio_blk ext4 >modules
while read -r verb file _; do
  [ "$verb" = insmod ] || continue
  cp "$file" "initrd/modules/$number-${file##*/}"
  number=$((number + 1))
done <modules
for file in initrd/modules/*.xz; do
  if [ -e "$file" ]; then xz -d "$file"; fi
done
cat >initrd/init <<'INIT'
#!/bin/busybox sh
PATH=/bin
alias mount='busybox mount'
mount -t devtmpfs dev /dev
for module in /modules/*; do busybox insmod "$module" 2>/dev/null; done
mount -t ext4 /dev/vda /root
busybox mkdir -p /root/sluice
busybox tar -xf /dev/vdb -C /root/sluice
busybox mkdir -p /root/sluice/node_modules
mount -t ext4 /dev/vdc /root/sluice/node_modules
mount -o move /dev /root/dev
exec busybox switch_root /root /sluice/test/kernels/guest/init.sh
INIT
chmod 755 initrd/init
(cd initrd && find . | busybox cpio -o -H newc) >/boot/initrd
rm -r initrd modules

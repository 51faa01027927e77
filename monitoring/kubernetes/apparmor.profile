# What the container may touch, on nodes with AppArmor. Load it on each node: apparmor_parser -r FILE.
#
# It reads what it likes and writes where it is named here: add the two lines of /data for each of your targets. Of the
# three capabilities two are gone before the daemon starts (daemonset.yml); mount(2) can then do nothing at all.
abi <abi/3.0>,

include <tunables/global>

profile writecanary flags=(attach_disconnected, mediate_deleted) {
  capability sys_admin,
  capability setpcap,
  capability dac_override,
  mount options in (rw, remount, bind, nosuid, nodev, noexec, relatime) -> /sys/fs/cgroup/{,memory/},

  network unix stream,
  network inet stream,
  network inet dgram,
  network inet6 stream,
  network inet6 dgram,
  signal (send, receive) peer=writecanary,
  signal (receive),
  ptrace (read, readby) peer=writecanary,

  / r,
  /** r,
  /{usr/,}{bin,sbin}/* mrix,
  /{usr/,}lib{,32,64}/** mr,

  # State, the container's own cgroup, what a run says of itself.
  /var/lib/writecanary/ rw,
  /var/lib/writecanary/** rwk,
  /sys/fs/cgroup/ rw,
  /sys/fs/cgroup/** rw,
  @{PROC}/@{pid}/oom_score_adj rw,
  @{PROC}/@{pid}/fd/* rw,
  @{PROC}/@{pid}/task/@{tid}/fd/* rw,
  /tmp/** rwk,
  /dev/null rw,

  # Targets.
  /data/.writecanary/ rw,
  /data/.writecanary/** rwmkl,
}

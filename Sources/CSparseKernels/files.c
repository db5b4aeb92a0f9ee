// Calls of the file system that Swift's own C libraries do not show.
#define _GNU_SOURCE
#include "CSparseKernels.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <sys/mount.h>
#include <sys/param.h>
#endif

// The flags of renameat2, as in linux/fs.h.
enum { NO_REPLACE = 1, EXCHANGE = 2 };

static int rename_with(int flag, const char *from, const char *to) {
#if defined(__linux__) && defined(SYS_renameat2)
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flag);
#elif defined(__APPLE__)
  return renamex_np(from, to, flag == EXCHANGE ? RENAME_SWAP : RENAME_EXCL);
#else
  (void)flag, (void)from, (void)to;
  errno = ENOSYS;
  return -1;
#endif
}

int sk_rename_new(const char *from, const char *to) { return rename_with(NO_REPLACE, from, to); }

int sk_rename_exchange(const char *a, const char *b) { return rename_with(EXCHANGE, a, b); }

int sk_has_common_locks(int descriptor) {
#if defined(__linux__)
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return 0;
  switch ((uint32_t)status.f_type) {
    case 0x0000ef53:  // ext2, ext3, ext4
    case 0x58465342:  // XFS
    case 0x9123683e:  // btrfs
    case 0x01021994:  // tmpfs
    case 0x794c7630:  // overlayfs
    case 0x2fc12fc1:  // ZFS
    case 0xf2f52010:  // F2FS
    case 0xca451a4e:  // bcachefs
      return 1;
    default: return 0;
  }
#elif defined(__APPLE__)
  struct statfs status;
  return fstatfs(descriptor, &status) == 0 && (status.f_flags & MNT_LOCAL) != 0;
#else
  (void)descriptor;
  return 0;
#endif
}

/*
 * Stands between a program and libc (LD_PRELOAD), for the fault tests. It does two things, each only when asked:
 *
 * POSTRIDER_FAULT_LOG=file with POSTRIDER_FAULT_ROOT=folder: writes down every change of a file below the folder, and every sync, in the
 * order in which they were done. journal.ts reads it. A write is noted when it is done; a sync when it begins and again when it succeeded or
 * failed: it covers what was noted before it began.
 *
 * POSTRIDER_FAULT_CONTROL=file of 4,096 bytes, mapped: 64-bit numbers that the test sets while the program runs, see control.ts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Numbers of the control file. */
enum { FAIL_SYNC_IN, SYNC_DELAY_US, WRITE_DELAY_US, CLOCK_OFFSET_NS, SYNCS_SEEN, SYNCS_FAILED, FAIL_KIND, FAIL_LOGS_ONLY };
/* Kinds of records. */
enum { R_OPEN = 1, R_CREATE, R_WRITE, R_TRUNCATE, R_SYNC, R_SYNCED, R_SYNC_FAILED, R_RENAME, R_UNLINK, R_MKDIR, R_LINK, R_SYNC_DIR };

#define MAX_FD 65536
static uint64_t inode_of[MAX_FD]; /* of files below the root; 0 for all others */
static char *folder_of[MAX_FD];   /* of folders below the root */
static volatile int64_t *control;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t sync_count;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_remove)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static long (*real_syscall)(long, ...);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_link)(const char *, const char *);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_posix_fallocate)(int, off_t, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static ssize_t (*real_copy_file_range)(int, off_t *, int, off_t *, size_t, unsigned);
static ssize_t (*real_sendfile)(int, int, off_t *, size_t);

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  if (real_open) return;
  real_openat = real("openat");
  real_close = real("close");
  real_write = real("write");
  real_pwrite = real("pwrite");
  real_writev = real("writev");
  real_pwritev = real("pwritev");
  real_ftruncate = real("ftruncate");
  real_fsync = real("fsync");
  real_fdatasync = real("fdatasync");
  real_rename = real("rename");
  real_unlink = real("unlink");
  real_remove = real("remove");
  real_unlinkat = real("unlinkat");
  real_syscall = real("syscall");
  real_mkdir = real("mkdir");
  real_link = real("link");
  real_clock_gettime = real("clock_gettime");
  real_posix_fallocate = real("posix_fallocate");
  real_fallocate = real("fallocate");
  real_copy_file_range = real("copy_file_range");
  real_sendfile = real("sendfile");
  real_open = real("open");
  const char *control_path = getenv("POSTRIDER_FAULT_CONTROL");
  if (control_path) {
    int fd = real_open(control_path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
      void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      if (mapped != MAP_FAILED) control = mapped;
      real_close(fd);
    }
  }
  const char *log_path = getenv("POSTRIDER_FAULT_LOG");
  const char *given = getenv("POSTRIDER_FAULT_ROOT");
  if (log_path && given && realpath(given, root)) {
    root_length = strlen(root);
    log_fd = real_open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
}

static int64_t now_ns(void) {
  struct timespec at;
  real_clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* The part of a path behind the root; NULL when it is elsewhere. Paths are written as given: the program uses absolute ones. */
static const char *below(const char *path) {
  if (log_fd < 0 || !path || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == 0) return "";
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

/* kind u32, length of the text u32, length of the bytes u32, number u32, inode u64, position i64, time i64; text; bytes */
static void note(uint32_t kind, uint64_t inode, int64_t position, uint32_t number, const char *text, const struct iovec *parts, int count,
                 size_t bytes) {
  if (log_fd < 0) return;
  int before = errno;
  uint32_t text_length = text ? (uint32_t)strlen(text) : 0;
  char head[40];
  uint32_t byte_length = (uint32_t)bytes;
  int64_t at = now_ns();
  memcpy(head, &kind, 4);
  memcpy(head + 4, &text_length, 4);
  memcpy(head + 8, &byte_length, 4);
  memcpy(head + 12, &number, 4);
  memcpy(head + 16, &inode, 8);
  memcpy(head + 24, &position, 8);
  memcpy(head + 32, &at, 8);
  char *whole = malloc(sizeof head + text_length + bytes);
  if (!whole) abort();
  memcpy(whole, head, sizeof head);
  if (text_length) memcpy(whole + sizeof head, text, text_length);
  size_t to = sizeof head + text_length, left = bytes;
  for (int i = 0; i < count && left > 0; i++) {
    size_t take = parts[i].iov_len < left ? parts[i].iov_len : left;
    memcpy(whole + to, parts[i].iov_base, take);
    to += take;
    left -= take;
  }
  pthread_mutex_lock(&lock);
  if (real_write(log_fd, whole, to) != (ssize_t)to) abort();
  pthread_mutex_unlock(&lock);
  free(whole);
  errno = before;
}

static void opened(int fd, const char *path, int existed, int truncated) {
  const char *name = below(path);
  if (fd < 0 || fd >= MAX_FD || !name) return;
  struct stat is;
  if (fstat(fd, &is) != 0) return;
  free(folder_of[fd]);
  folder_of[fd] = NULL;
  inode_of[fd] = 0;
  if (S_ISDIR(is.st_mode)) folder_of[fd] = strdup(name);
  else if (S_ISREG(is.st_mode)) {
    inode_of[fd] = is.st_ino;
    note(existed ? R_OPEN : R_CREATE, is.st_ino, 0, 0, name, NULL, 0, 0);
    if (existed && truncated) note(R_TRUNCATE, is.st_ino, 0, 0, NULL, NULL, 0, 0);
  }
}

static int open_noted(int at, const char *path, int flags, mode_t mode) {
  begin();
  int existed = 1;
  const char *name = below(path);
  if (name && (flags & O_CREAT)) {
    struct stat is;
    existed = lstat(path, &is) == 0;
  }
  int fd = real_openat(at, path, flags, mode);
  if (name) opened(fd, path, existed, (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY);
  return fd;
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more; \
    va_start(more, flags); \
    mode = va_arg(more, mode_t); \
    va_end(more); \
  }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_noted(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_noted(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_OF(flags) return open_noted(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_OF(flags) return open_noted(at, path, flags, mode); }

static void closing(int fd) {
  if (fd < 0 || fd >= MAX_FD) return;
  inode_of[fd] = 0;
  free(folder_of[fd]);
  folder_of[fd] = NULL;
}
int close(int fd) {
  begin();
  closing(fd);
  return real_close(fd);
}

static uint64_t inode(int fd) { return log_fd >= 0 && fd >= 0 && fd < MAX_FD ? inode_of[fd] : 0; }

static void delay(int which) {
  int64_t micros = control ? control[which] : 0;
  if (micros > 0) {
    struct timespec pause = {micros / 1000000, (micros % 1000000) * 1000};
    nanosleep(&pause, NULL);
  }
}

static int is_file(int fd) {
  struct stat is;
  return control && control[WRITE_DELAY_US] > 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t position) {
  begin();
  if (is_file(fd)) delay(WRITE_DELAY_US);
  ssize_t done = real_pwrite(fd, bytes, length, position);
  if (done > 0 && inode(fd)) {
    struct iovec part = {(void *)bytes, (size_t)done};
    note(R_WRITE, inode(fd), position, 0, NULL, &part, 1, (size_t)done);
  }
  return done;
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t position) { return pwrite(fd, bytes, length, position); }

ssize_t write(int fd, const void *bytes, size_t length) {
  begin();
  if (is_file(fd)) delay(WRITE_DELAY_US);
  ssize_t done = real_write(fd, bytes, length);
  if (done > 0 && inode(fd)) {
    struct iovec part = {(void *)bytes, (size_t)done};
    note(R_WRITE, inode(fd), lseek(fd, 0, SEEK_CUR) - done, 0, NULL, &part, 1, (size_t)done);
  }
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  begin();
  if (is_file(fd)) delay(WRITE_DELAY_US);
  ssize_t done = real_writev(fd, parts, count);
  if (done > 0 && inode(fd)) note(R_WRITE, inode(fd), lseek(fd, 0, SEEK_CUR) - done, 0, NULL, parts, count, (size_t)done);
  return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t position) {
  begin();
  if (is_file(fd)) delay(WRITE_DELAY_US);
  ssize_t done = real_pwritev(fd, parts, count, position);
  if (done > 0 && inode(fd)) note(R_WRITE, inode(fd), position, 0, NULL, parts, count, (size_t)done);
  return done;
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t position) { return pwritev(fd, parts, count, position); }

/* Copies inside the kernel are done by hand while the log is written, and are refused where a caller copes with that. */
ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t length, unsigned flags) {
  begin();
  if (inode(out)) { errno = EXDEV; return -1; }
  return real_copy_file_range(in, in_at, out, out_at, length, flags);
}
/* libuv closes files and copies them by asking the kernel itself; it copies by sendfile when that is refused. */
long syscall(long number, ...) {
  begin();
  long of[6];
  va_list more;
  va_start(more, number);
  for (int i = 0; i < 6; i++) of[i] = va_arg(more, long);
  va_end(more);
  if (number == SYS_close) closing((int)of[0]);
  if (number == SYS_copy_file_range && inode((int)of[2])) { errno = ENOSYS; return -1; }
  return real_syscall(number, of[0], of[1], of[2], of[3], of[4], of[5]);
}
ssize_t sendfile(int out, int in, off_t *at, size_t length) {
  begin();
  if (!inode(out)) return real_sendfile(out, in, at, length);
  char piece[65536];
  size_t want = length < sizeof piece ? length : sizeof piece;
  ssize_t got = at ? pread(in, piece, want, *at) : read(in, piece, want);
  if (got <= 0) return got;
  ssize_t done = write(out, piece, (size_t)got);
  if (done > 0 && at) *at += done;
  return done;
}
ssize_t sendfile64(int out, int in, off_t *at, size_t length) { return sendfile(out, in, at, length); }

int ftruncate(int fd, off_t length) {
  begin();
  int result = real_ftruncate(fd, length);
  if (result == 0 && inode(fd)) note(R_TRUNCATE, inode(fd), length, 0, NULL, NULL, 0, 0);
  return result;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static int extended(int fd, int result, off_t end) {
  struct stat is;
  if (result == 0 && inode(fd) && fstat(fd, &is) == 0 && is.st_size == end) note(R_TRUNCATE, inode(fd), end, 0, NULL, NULL, 0, 0);
  return result;
}
int posix_fallocate(int fd, off_t from, off_t length) {
  begin();
  return extended(fd, real_posix_fallocate(fd, from, length), from + length);
}
int posix_fallocate64(int fd, off_t from, off_t length) { return posix_fallocate(fd, from, length); }
int fallocate(int fd, int mode, off_t from, off_t length) {
  begin();
  return extended(fd, real_fallocate(fd, mode, from, length), from + length);
}
int fallocate64(int fd, int mode, off_t from, off_t length) { return fallocate(fd, mode, from, length); }

/* A write-ahead log of SQLite. */
static int is_log(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

/* Counts down to the sync that fails. The ones after it succeed, as they falsely do on Linux. */
static int fails(int fd) {
  if (!control) return 0;
  if (control[FAIL_LOGS_ONLY] && !is_log(fd)) return 0;
  __sync_fetch_and_add(&control[SYNCS_SEEN], 1);
  if (control[FAIL_SYNC_IN] <= 0) return 0;
  if (__sync_sub_and_fetch(&control[FAIL_SYNC_IN], 1) != 0) return 0;
  __sync_fetch_and_add(&control[SYNCS_FAILED], 1);
  return 1;
}

static int synced(int fd, int (*sync)(int)) {
  struct stat is;
  int counts = control && fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
  if (counts) delay(SYNC_DELAY_US);
  if (fd >= 0 && fd < MAX_FD && folder_of[fd]) {
    int result = sync(fd);
    if (result == 0) note(R_SYNC_DIR, 0, 0, 0, folder_of[fd], NULL, 0, 0);
    return result;
  }
  uint64_t file = inode(fd);
  uint32_t number = file ? (uint32_t)(__sync_add_and_fetch(&sync_count, 1) | ((uint32_t)getpid() << 20)) : 0;
  if (file) note(R_SYNC, file, 0, number, NULL, NULL, 0, 0);
  if (counts && fails(fd)) {
    if (file) note(R_SYNC_FAILED, file, 0, number, NULL, NULL, 0, 0);
    errno = control[FAIL_KIND] ? (int)control[FAIL_KIND] : EIO;
    return -1;
  }
  int result = sync(fd);
  if (file) note(result == 0 ? R_SYNCED : R_SYNC_FAILED, file, 0, number, NULL, NULL, 0, 0);
  return result;
}
int fsync(int fd) { begin(); return synced(fd, real_fsync); }
int fdatasync(int fd) { begin(); return synced(fd, real_fdatasync); }

static void two(uint32_t kind, const char *from, const char *to) {
  const char *a = below(from), *b = below(to);
  if (!a || !b) return;
  struct iovec part = {(void *)b, strlen(b)};
  note(kind, 0, 0, 0, a, &part, 1, part.iov_len);
}
int rename(const char *from, const char *to) {
  begin();
  int result = real_rename(from, to);
  if (result == 0) two(R_RENAME, from, to);
  return result;
}
int link(const char *from, const char *to) {
  begin();
  int result = real_link(from, to);
  if (result == 0) two(R_LINK, from, to);
  return result;
}
int unlink(const char *path) {
  begin();
  int result = real_unlink(path);
  if (result == 0 && below(path)) note(R_UNLINK, 0, 0, 0, below(path), NULL, 0, 0);
  return result;
}
int remove(const char *path) {
  begin();
  int result = real_remove(path);
  if (result == 0 && below(path)) note(R_UNLINK, 0, 0, 0, below(path), NULL, 0, 0);
  return result;
}
int unlinkat(int at, const char *path, int flags) {
  begin();
  int result = real_unlinkat(at, path, flags);
  if (result != 0 || log_fd < 0) return result;
  if (path[0] == '/') {
    if (below(path)) note(R_UNLINK, 0, 0, 0, below(path), NULL, 0, 0);
  } else if (at >= 0 && at < MAX_FD && folder_of[at]) {
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s%s%s", folder_of[at], folder_of[at][0] ? "/" : "", path);
    note(R_UNLINK, 0, 0, 0, whole, NULL, 0, 0);
  }
  return result;
}
int mkdir(const char *path, mode_t mode) {
  begin();
  int result = real_mkdir(path, mode);
  if (result == 0 && below(path)) note(R_MKDIR, 0, 0, 0, below(path), NULL, 0, 0);
  return result;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  begin();
  int result = real_clock_gettime(clock, at);
  int64_t offset = control ? control[CLOCK_OFFSET_NS] : 0;
  if (result == 0 && offset != 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t moved = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + offset;
    at->tv_sec = moved / 1000000000;
    at->tv_nsec = moved % 1000000000;
  }
  return result;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  int result = clock_gettime(CLOCK_REALTIME, &exact);
  at->tv_sec = exact.tv_sec;
  at->tv_usec = exact.tv_nsec / 1000;
  return result;
}
time_t time(time_t *at) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (at) *at = exact.tv_sec;
  return exact.tv_sec;
}

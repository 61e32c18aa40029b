/* Records what a process does to the files of a folder, so that a test can say what a power cut would leave of them.
 *
 * Preloaded (LD_PRELOAD), it appends a record to the file $LOSSY_TRACE for each call that changes something below
 * $LOSSY_FOLDER: data written, files cut, names made, moved and removed, and what was synced. A record is one write to a
 * file that is opened for appending, so the records of all threads and processes stand in one order, and a call has its
 * record before it returns. lossy_disk.py reads the trace.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, ZEROS, CUT, SYNCING, SYNCED, MOVE, LINK, REMOVE, MAKE_FOLDER, NOTE };

/* `file` and the two folders are inode numbers; which of the other fields a kind has is said where it is recorded. */
struct record {
    uint32_t kind, name_bytes, to_name_bytes, data_bytes;
    uint64_t file, folder, to_folder, at, size;
};

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int trace(void) {
    static int fd = -2;
    if (fd == -2) {
        const char *path = getenv("LOSSY_TRACE");
        int opened = path ? REAL(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
        /* Far from the small numbers, which a program that is to have few descriptors may count on. */
        fd = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, 500);
    }
    return fd;
}

static void record(struct record head, const char *name, const char *to_name, const void *data) {
    int saved = errno, fd = trace();
    if (fd < 0) return;
    head.name_bytes = name ? strlen(name) : 0;
    head.to_name_bytes = to_name ? strlen(to_name) : 0;
    struct iovec parts[] = {{&head, sizeof head},
                            {(void *)name, head.name_bytes},
                            {(void *)to_name, head.to_name_bytes},
                            {(void *)data, head.data_bytes}};
    size_t whole = sizeof head + head.name_bytes + head.to_name_bytes + head.data_bytes;
    if (REAL(writev)(fd, parts, 4) != (ssize_t)whole) {
        fprintf(stderr, "lossy_disk: the trace cannot be written\n");
        abort();
    }
    errno = saved;
}

static int is_below(const char *path) {
    const char *folder = getenv("LOSSY_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

/* The inode behind a descriptor if it is one of the folder's, else 0. */
static uint64_t file_of(int fd) {
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX);
    if (length < 0) return 0;
    path[length] = 0;
    struct stat found;
    return is_below(path) && fstat(fd, &found) == 0 ? found.st_ino : 0;
}

/* Where a name stands: its folder's inode, or 0 if that is not below ours; and the name itself. */
struct place { uint64_t folder; char name[NAME_MAX + 1]; };

static struct place place_of(int at, const char *path) {
    struct place place = {0};
    char whole[PATH_MAX * 2 + 64], parent[PATH_MAX + 1];
    if (path[0] == '/') snprintf(whole, sizeof whole, "%s", path);
    else if (at == AT_FDCWD) snprintf(whole, sizeof whole, "./%s", path);
    else snprintf(whole, sizeof whole, "/proc/self/fd/%d/%s", at, path);
    for (size_t end = strlen(whole); end > 1 && whole[end - 1] == '/';) whole[--end] = 0;
    char *slash = strrchr(whole, '/');
    if (!slash) return place;
    snprintf(place.name, sizeof place.name, "%s", slash + 1);
    *slash = 0;
    struct stat found;
    if (realpath(whole[0] ? whole : "/", parent) && is_below(parent) && stat(parent, &found) == 0)
        place.folder = found.st_ino;
    return place;
}

static uint64_t inode_at(int at, const char *path) {
    struct stat found;
    return fstatat(at, path, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found.st_ino : 0;
}

/* For the program: something that it was notified of, in the order of the trace. */
void lossy_note(const char *text, size_t size) { record((struct record){.kind = NOTE, .data_bytes = size}, 0, 0, text); }

/* data */

static void wrote(uint64_t file, const unsigned char *bytes, ssize_t size, uint64_t at) {
    if (!file || size <= 0) return;
    int is_zero = bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
    struct record head = {.kind = is_zero ? ZEROS : WRITE, .file = file, .at = at, .size = size};
    if (!is_zero) head.data_bytes = size;
    record(head, 0, 0, bytes);
}

#define PWRITE(name, offset)                                                     \
    ssize_t name(int fd, const void *bytes, size_t size, offset at) {            \
        ssize_t done = REAL(name)(fd, bytes, size, at);                          \
        if (done > 0) wrote(file_of(fd), bytes, done, at);                       \
        return done;                                                             \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t size) {
    uint64_t file = fd == trace() ? 0 : file_of(fd);
    ssize_t done = REAL(write)(fd, bytes, size);
    if (file && done > 0) wrote(file, bytes, done, lseek64(fd, 0, SEEK_CUR) - done);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    uint64_t file = file_of(fd);
    ssize_t done = REAL(writev)(fd, parts, count);
    if (!file || done <= 0) return done;
    uint64_t at = lseek64(fd, 0, SEEK_CUR) - done;
    ssize_t left = done;
    for (int index = 0; index < count && left > 0; index++) {
        ssize_t size = (ssize_t)parts[index].iov_len < left ? (ssize_t)parts[index].iov_len : left;
        wrote(file, parts[index].iov_base, size, at);
        at += size;
        left -= size;
    }
    return done;
}

/* Copies within the kernel: not ours, so that the program reads and writes. */
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags) {
    if (!file_of(to)) return REAL(copy_file_range)(from, from_at, to, to_at, size, flags);
    errno = ENOSYS;
    return -1;
}
#define SENDFILE(name, offset)                                     \
    ssize_t name(int to, int from, offset *at, size_t size);       \
    ssize_t name(int to, int from, offset *at, size_t size) {      \
        if (!file_of(to)) return REAL(name)(to, from, at, size);   \
        errno = ENOTSOCK;                                          \
        return -1;                                                 \
    }
SENDFILE(sendfile, off_t)
SENDFILE(sendfile64, off64_t)

static void cut(uint64_t file, uint64_t size) {
    if (file) record((struct record){.kind = CUT, .file = file, .size = size}, 0, 0, 0);
}

#define FTRUNCATE(name, offset)                    \
    int name(int fd, offset size) {                \
        int error = REAL(name)(fd, size);          \
        if (!error) cut(file_of(fd), size);        \
        return error;                              \
    }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

static void grew(int fd, int mode, uint64_t end) {
    struct stat found;
    uint64_t file = file_of(fd);
    /* What is reserved beyond the end changes nothing that can be read. */
    if (file && !(mode & FALLOC_FL_KEEP_SIZE) && fstat(fd, &found) == 0 && (uint64_t)found.st_size >= end)
        cut(file, found.st_size);
}

#define FALLOCATE(name, offset)                                  \
    int name(int fd, int mode, offset at, offset size) {         \
        int error = REAL(name)(fd, mode, at, size);              \
        if (!error) grew(fd, mode, at + size);                   \
        return error;                                            \
    }
FALLOCATE(fallocate, off_t)
FALLOCATE(fallocate64, off64_t)

/* syncs: what was recorded before SYNCING is on the disk after SYNCED (`at` says which belong together) */

static int synced(int (*real)(int), int fd) {
    static uint64_t calls;
    uint64_t file = file_of(fd);
    uint64_t call = ((uint64_t)getpid() << 32) + __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (file) record((struct record){.kind = SYNCING, .file = file, .at = call}, 0, 0, 0);
    int error = real(fd);
    if (file && !error) record((struct record){.kind = SYNCED, .file = file, .at = call}, 0, 0, 0);
    return error;
}

int fsync(int fd) { return synced(REAL(fsync), fd); }
int fdatasync(int fd) { return synced(REAL(fdatasync), fd); }

/* names */

static int opened(int fd, int at, const char *path, int flags, int was_there) {
    if (fd < 0) return fd;
    uint64_t file = file_of(fd);
    if (!file) return fd;
    if ((flags & O_CREAT) && !was_there) {
        struct place place = place_of(at, path);
        record((struct record){.kind = CREATE, .file = file, .folder = place.folder}, place.name, 0, 0);
    } else if (flags & O_TRUNC) {
        cut(file, 0);
    }
    return fd;
}

static int is_there(int at, const char *path, int flags) { return (flags & O_CREAT) && faccessat(at, path, F_OK, 0) == 0; }

#define MODE_OF(flags)                                  \
    mode_t mode = 0;                                    \
    if ((flags) & (O_CREAT | O_TMPFILE)) {              \
        va_list rest;                                   \
        va_start(rest, flags);                          \
        mode = va_arg(rest, mode_t);                    \
        va_end(rest);                                   \
    }
#define OPEN(name)                                                                               \
    int name(const char *path, int flags, ...) {                                                 \
        MODE_OF(flags)                                                                           \
        int was_there = is_there(AT_FDCWD, path, flags);                                         \
        return opened(REAL(name)(path, flags, mode), AT_FDCWD, path, flags, was_there);          \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                                             \
    int name(int at, const char *path, int flags, ...) {                                         \
        MODE_OF(flags)                                                                           \
        int was_there = is_there(at, path, flags);                                               \
        return opened(REAL(name)(at, path, flags, mode), at, path, flags, was_there);            \
    }
OPENAT(openat)
OPENAT(openat64)
int creat(const char *path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open64(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* How a name changes: the record is made of what stood there before the call. */
static int renamed(int error, uint64_t file, struct place from, struct place to) {
    if (!error && (from.folder || to.folder))
        record((struct record){.kind = MOVE, .file = file, .folder = from.folder, .to_folder = to.folder}, from.name, to.name, 0);
    return error;
}
int rename(const char *from, const char *to) {
    struct place old = place_of(AT_FDCWD, from), new = place_of(AT_FDCWD, to);
    uint64_t file = inode_at(AT_FDCWD, from);
    return renamed(REAL(rename)(from, to), file, old, new);
}
int renameat(int at, const char *from, int to_at, const char *to) {
    struct place old = place_of(at, from), new = place_of(to_at, to);
    uint64_t file = inode_at(at, from);
    return renamed(REAL(renameat)(at, from, to_at, to), file, old, new);
}
int renameat2(int at, const char *from, int to_at, const char *to, unsigned flags) {
    struct place old = place_of(at, from), new = place_of(to_at, to);
    uint64_t file = inode_at(at, from);
    return renamed(REAL(renameat2)(at, from, to_at, to, flags), file, old, new);
}

static int linked(int error, int at, const char *path) {
    if (error) return error;
    struct place place = place_of(at, path);
    if (place.folder)
        record((struct record){.kind = LINK, .file = inode_at(at, path), .folder = place.folder}, place.name, 0, 0);
    return error;
}
int link(const char *from, const char *to) { return linked(REAL(link)(from, to), AT_FDCWD, to); }
int linkat(int at, const char *from, int to_at, const char *to, int flags) {
    return linked(REAL(linkat)(at, from, to_at, to, flags), to_at, to);
}

static int removed(int error, uint64_t file, struct place place) {
    if (!error && place.folder) record((struct record){.kind = REMOVE, .file = file, .folder = place.folder}, place.name, 0, 0);
    return error;
}
#define REMOVER(name)                                          \
    int name(const char *path) {                               \
        struct place place = place_of(AT_FDCWD, path);         \
        uint64_t file = inode_at(AT_FDCWD, path);              \
        return removed(REAL(name)(path), file, place);         \
    }
REMOVER(unlink)
REMOVER(rmdir)
REMOVER(remove)
int unlinkat(int at, const char *path, int flags) {
    struct place place = place_of(at, path);
    uint64_t file = inode_at(at, path);
    return removed(REAL(unlinkat)(at, path, flags), file, place);
}

static int made(int error, int at, const char *path) {
    if (error) return error;
    struct place place = place_of(at, path);
    if (place.folder)
        record((struct record){.kind = MAKE_FOLDER, .file = inode_at(at, path), .folder = place.folder}, place.name, 0, 0);
    return error;
}
int mkdir(const char *path, mode_t mode) { return made(REAL(mkdir)(path, mode), AT_FDCWD, path); }
int mkdirat(int at, const char *path, mode_t mode) { return made(REAL(mkdirat)(at, path, mode), at, path); }

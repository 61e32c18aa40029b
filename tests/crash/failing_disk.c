/* A disk that fails on demand, for a process that has this preloaded.
 *
 * While the file $FAILING_DISK exists, calls on files below $FAILING_FOLDER fail as its content says:
 * "sync EIO", "write ENOSPC", "open EMFILE", "once sync EIO" (only the next call).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_below(const char *path) {
    const char *folder = getenv("FAILING_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int of_folder(int fd) {
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* A path may begin with a folder's descriptor: storage's do. */
static int in_folder(const char *path) {
    int fd;
    return sscanf(path, "/proc/self/fd/%d", &fd) == 1 ? of_folder(fd) : is_below(path);
}

static int (*open_for_real(void))(const char *, int, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    return real;
}

/* The error that a kind of call is to fail with, 0 for none. */
static int failure(const char *kind) {
    const char *control = getenv("FAILING_DISK");
    int fd = control ? open_for_real()(control, O_RDONLY) : -1;
    if (fd < 0) return 0;
    char order[64] = {0};
    ssize_t length = read(fd, order, sizeof order - 1);
    close(fd);
    if (length <= 0) return 0;
    char *rest = order;
    int once = strncmp(rest, "once ", 5) == 0;
    if (once) rest += 5;
    if (strncmp(rest, kind, strlen(kind)) != 0) return 0;
    if (once) unlink(control);
    if (strstr(rest, "ENOSPC")) return ENOSPC;
    if (strstr(rest, "EMFILE")) return EMFILE;
    return EIO;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_FOR(fd, kind)                      \
    do {                                        \
        int error = of_folder(fd) ? failure(kind) : 0; \
        if (error) { errno = error; return -1; } \
    } while (0)

int fdatasync(int fd) { FAIL_FOR(fd, "sync"); return REAL(fdatasync)(fd); }
int fsync(int fd) { FAIL_FOR(fd, "sync"); return REAL(fsync)(fd); }
ssize_t write(int fd, const void *bytes, size_t size) { FAIL_FOR(fd, "write"); return REAL(write)(fd, bytes, size); }
ssize_t writev(int fd, const struct iovec *parts, int count) { FAIL_FOR(fd, "write"); return REAL(writev)(fd, parts, count); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { FAIL_FOR(fd, "write"); return REAL(pwrite64)(fd, bytes, size, at); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { FAIL_FOR(fd, "write"); return REAL(pwrite)(fd, bytes, size, at); }
int fallocate(int fd, int mode, off_t at, off_t size) { FAIL_FOR(fd, "write"); return REAL(fallocate)(fd, mode, at, size); }

#define OPEN(name)                                                        \
    int name(const char *path, int flags, ...) {                          \
        int error = in_folder(path) ? failure("open") : 0;                \
        if (error) { errno = error; return -1; }                          \
        va_list rest;                                                     \
        va_start(rest, flags);                                            \
        mode_t mode = va_arg(rest, mode_t);                               \
        va_end(rest);                                                     \
        return REAL(name)(path, flags, mode);                             \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                      \
    int name(int folder, const char *path, int flags, ...) {              \
        int is_ours = path[0] == '/' ? in_folder(path) : of_folder(folder); \
        int error = is_ours ? failure("open") : 0;                        \
        if (error) { errno = error; return -1; }                          \
        va_list rest;                                                     \
        va_start(rest, flags);                                            \
        mode_t mode = va_arg(rest, mode_t);                               \
        va_end(rest);                                                     \
        return REAL(name)(folder, path, flags, mode);                     \
    }
OPENAT(openat)
OPENAT(openat64)

/* A disk that fails, and one that loses its power: LD_PRELOADed into ingest, for the files under PULSO_DISK_FOLDER.

   PULSO_DISK_CONTROL names a file of four ints, which may change at any time: the errno of every fsync, the errno of
   every write, 0 for none; how many in a hundred calls fail; and how many in a hundred writes reach the platter by
   themselves, torn at a sector.

   PULSO_DISK_PLATTER names a folder that gets what a power cut would leave: of each file what was written before its
   last fsync that worked. A failed fsync drops what it should have written, as Linux does: it is in the page cache,
   marked clean, and never written.

   PULSO_DISK_UNREADABLE=INODE:OFFSET names a byte of a file that cannot be read: EIO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* While appends fail the journal begins a file for each that fails. */
enum { FILES = 1024, RANGES = 65536, SECTOR = 512 };
enum { FSYNC_ERRNO, WRITE_ERRNO, FAILING_PERCENT, TORN_PERCENT, CONTROLS };

struct range { off_t at; size_t size; };
struct file { char path[512]; struct range *ranges; int count; off_t truncated; };

static struct file files[FILES];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *platter;
static volatile int *control;
static unsigned int chance = 1;

__attribute__((constructor)) static void begin(void) {
    folder = getenv("PULSO_DISK_FOLDER");
    platter = getenv("PULSO_DISK_PLATTER");
    const char *name = getenv("PULSO_DISK_CONTROL");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *mapped = mmap(NULL, CONTROLS * sizeof(int), PROT_READ, MAP_SHARED, fd, 0);
        control = mapped == MAP_FAILED ? NULL : mapped;
        close(fd);
    }
    chance = (unsigned)getpid();
}

/* Or it would look as if the service had ended by itself. */
static void give_up(const char *why) {
    dprintf(STDERR_FILENO, "disk_shim: %s\n", why);
    abort();
}

static int happens(int percent) { return percent && (int)(rand_r(&chance) % 100) < percent; }

static int path_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = folder ? readlink(link, path, size - 1) : -1;
    if (length < 0) return 0;
    path[length] = 0;
    return !strncmp(path, folder, strlen(folder)) && path[strlen(folder)] == '/';
}

static int fails(int which, int fd) {
    char path[512];
    if (!control || !control[which] || !path_of(fd, path, sizeof path) || !happens(control[FAILING_PERCENT])) return 0;
    errno = control[which];
    return 1;
}

/* The caller has the turn. */
static struct file *known(const char *path) {
    for (int i = 0; i < FILES; i++)
        if (!strcmp(files[i].path, path)) return &files[i];
    return NULL;
}

/* The caller has the turn. */
static void forget(const char *path) {
    struct file *file = known(path);
    if (!file) return;
    free(file->ranges);
    *file = (struct file){0};
}

/* The caller has the turn. */
static struct file *file_of(int fd) {
    char path[512];
    if (!platter || !path_of(fd, path, sizeof path)) return NULL;
    struct file *file = known(path);
    if (file) return file;
    file = known("");
    if (!file) give_up("more files than it can follow");
    strcpy(file->path, path);
    file->ranges = calloc(RANGES, sizeof(struct range));
    file->truncated = -1;
    return file;
}

static int on_platter(const char *path) {
    char there[1024];
    snprintf(there, sizeof there, "%s%s", platter, path + strlen(folder));
    return open(there, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
}

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

static void copy(int from, int to, off_t at, size_t size) {
    char data[65536];
    while (size) {
        ssize_t got = pread(from, data, size < sizeof data ? size : sizeof data, at);
        if (got <= 0) return;
        real_pwrite(to, data, (size_t)got, at);
        at += got;
        size -= (size_t)got;
    }
}

static void wrote(int fd, const void *data, size_t size, off_t at) {
    pthread_mutex_lock(&turn);
    struct file *file = file_of(fd);
    if (file) {
        if (file->count == RANGES) give_up("more writes than it can follow");
        file->ranges[file->count++] = (struct range){at, size};
        if (control && happens(control[TORN_PERCENT])) {
            /* The whole of it as often as not: a frame's header is shorter than a sector, and is there or not. */
            size_t part = rand_r(&chance) % 2 ? size : (size_t)rand_r(&chance) % (size + 1) / SECTOR * SECTOR;
            int to = on_platter(file->path);
            real_pwrite(to, data, part, at);
            close(to);
        }
    }
    pthread_mutex_unlock(&turn);
}

static void synced(int fd, int worked) {
    pthread_mutex_lock(&turn);
    struct file *file = file_of(fd);
    if (file) {
        if (worked) {
            int to = on_platter(file->path);
            if (file->truncated >= 0 && ftruncate64(to, file->truncated)) give_up("the platter cannot be cut");
            for (int i = 0; i < file->count; i++) copy(fd, to, file->ranges[i].at, file->ranges[i].size);
            close(to);
            file->truncated = -1;
        }
        file->count = 0;
    }
    pthread_mutex_unlock(&turn);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static ssize_t write_at(int fd, const void *data, size_t size, off_t at) {
    if (!real_pwrite) real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    if (fails(WRITE_ERRNO, fd)) return -1;
    ssize_t written = real_pwrite(fd, data, size, at);
    if (written > 0) wrote(fd, data, (size_t)written, at);
    return written;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return write_at(fd, data, size, at); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return write_at(fd, data, size, at); }

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    if (!real_pwrite) real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    if (fails(WRITE_ERRNO, fd)) return -1;
    ssize_t written = real(fd, data, size);
    if (written > 0) wrote(fd, data, (size_t)written, lseek(fd, 0, SEEK_CUR) - written);
    return written;
}

static int is_unreadable(int fd, size_t size, off_t at) {
    unsigned long long inode;
    long long bad;
    struct stat status;
    const char *named = getenv("PULSO_DISK_UNREADABLE");
    if (!named || sscanf(named, "%llu:%lld", &inode, &bad) != 2 || fstat(fd, &status)) return 0;
    if (status.st_ino != inode || at > bad || bad >= at + (off_t)size) return 0;
    errno = EIO;
    return 1;
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    REAL(pread64);
    return is_unreadable(fd, size, at) ? -1 : real(fd, data, size, at);
}

ssize_t pread(int fd, void *data, size_t size, off_t at) { return pread64(fd, data, size, at); }

ssize_t read(int fd, void *data, size_t size) {
    REAL(read);
    return getenv("PULSO_DISK_UNREADABLE") && is_unreadable(fd, size, lseek(fd, 0, SEEK_CUR)) ? -1 : real(fd, data, size);
}

int fsync(int fd) {
    REAL(fsync);
    int failed = fails(FSYNC_ERRNO, fd), result = failed ? -1 : real(fd), why = errno;
    synced(fd, result == 0);
    errno = why;
    return result;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    int failed = fails(FSYNC_ERRNO, fd), result = failed ? -1 : real(fd), why = errno;
    synced(fd, result == 0);
    errno = why;
    return result;
}

static int cut(int fd, off_t size) {
    pthread_mutex_lock(&turn);
    struct file *file = file_of(fd);
    if (file) file->truncated = size;
    pthread_mutex_unlock(&turn);
    return 0;
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    int result = real(fd, size);
    char path[512];
    if (!result && platter && path_of(fd, path, sizeof path)) cut(fd, size);
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int is_ours(const char *path) { return platter && folder && !strncmp(path, folder, strlen(folder)); }

/* The folder's own entries are there at once, as with a journal. */
int unlink(const char *path) {
    REAL(unlink);
    int result = real(path);
    if (!result && is_ours(path)) {
        char there[1024];
        snprintf(there, sizeof there, "%s%s", platter, path + strlen(folder));
        real(there);
        pthread_mutex_lock(&turn);
        forget(path);
        pthread_mutex_unlock(&turn);
    }
    return result;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    pthread_mutex_lock(&turn);
    int result = real(from, to), why = errno;
    if (!result && is_ours(from) && is_ours(to)) {
        char there[1024], then[1024];
        snprintf(there, sizeof there, "%s%s", platter, from + strlen(folder));
        snprintf(then, sizeof then, "%s%s", platter, to + strlen(folder));
        real(there, then);
        forget(to);
        struct file *file = known(from);
        if (file) strcpy(file->path, to);
    }
    pthread_mutex_unlock(&turn);
    errno = why;
    return result;
}

// Linux, tested; macOS, written and not tested: nobody has run it there.
#ifndef _WIN32

#include "system.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#else
extern "C" int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t timeout_us);
extern "C" int __ulock_wake(uint32_t operation, void *address, uint64_t value);
constexpr uint32_t kCompareAndWaitShared = 3;
#endif

extern char **environ;

namespace highband {

int64_t now_ns() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000ll + time.tv_nsec;
}

uint32_t process_id() { return static_cast<uint32_t>(getpid()); }

std::string library_path() {
    Dl_info found;
    return dladdr(reinterpret_cast<void *>(&process_id), &found) && found.dli_fname ? found.dli_fname : "";
}

static std::string fault(const std::string &path, const char *what) {
    return path + " " + what + ": " + std::strerror(errno);
}

static bool is_private_folder(const std::string &path) {
    struct stat found;
    return lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() &&
           (found.st_mode & 077) == 0;
}

std::string runtime_folder(std::string &error) {
    const char *runtime = std::getenv("XDG_RUNTIME_DIR");
    std::string path = runtime && *runtime ? std::string(runtime) + "/highband"
                                           : "/tmp/highband-" + std::to_string(geteuid());
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        error = fault(path, "can't be made");
        return "";
    }
    if (is_private_folder(path)) return path;
    error = path + " must be a folder of your own that others can't open: remove it";
    return "";
}

bool map_region(Mapping &mapping, const std::string &path, size_t size, bool create, std::string &error) {
    const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0);
    const int file = open(path.c_str(), flags, 0600);
    if (file < 0) {
        error = fault(path, "can't be opened");
        return false;
    }
    struct stat found;
    const bool is_right = (!create || ftruncate(file, static_cast<off_t>(size)) == 0) && fstat(file, &found) == 0 &&
                          S_ISREG(found.st_mode) && found.st_size == static_cast<off_t>(size) &&
                          found.st_uid == geteuid();
    void *at = is_right ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    if (at == MAP_FAILED) {
        error = path + " is not a region of this version";
        return false;
    }
    mapping.at = at;
    mapping.size = size;
    mapping.path = path;
    return true;
}

void unmap_region(Mapping &mapping, bool remove) {
    if (!mapping.at) return;
    munmap(mapping.at, mapping.size);
    if (remove) unlink(mapping.path.c_str());
    mapping = Mapping();
}

#ifdef __linux__
void wait_bell(Mapping &, Bell, std::atomic<uint32_t> &word, uint32_t seen, int64_t ns) {
    const timespec most = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    syscall(SYS_futex, &word, FUTEX_WAIT, seen, &most, nullptr, 0);
}

void wake_bell(Mapping &, Bell, std::atomic<uint32_t> &word) {
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}
#else
void wait_bell(Mapping &, Bell, std::atomic<uint32_t> &word, uint32_t seen, int64_t ns) {
    __ulock_wait(kCompareAndWaitShared, &word, seen, static_cast<uint32_t>(ns / 1000 + 1));
}

void wake_bell(Mapping &, Bell, std::atomic<uint32_t> &word) { __ulock_wake(kCompareAndWaitShared, &word, 0); }
#endif

bool is_server_running(const std::string &folder) {
    const int file = open((folder + "/server.lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return false;
    const bool is_held = flock(file, LOCK_EX | LOCK_NB) != 0;
    close(file);
    return is_held;
}

// Where the process has its lock; the engine closes all files up to 255 when it has taken its own.
constexpr int kHeldFile = 200;

static bool belongs_to_the_host(const char *entry) {
    // A DAW that brings its own libraries along sets these for itself.
    for (const char *name : {"PYTHONHOME=", "PYTHONPATH=", "LD_LIBRARY_PATH=", "LD_PRELOAD="})
        if (std::strncmp(entry, name, std::strlen(name)) == 0) return true;
    return false;
}

bool start_process(const std::vector<std::string> &words, const std::string &lock) {
    // A session of many tracks is to start one process, also where that takes its time.
    const int held = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (held >= 0 && flock(held, LOCK_EX | LOCK_NB) != 0) {
        close(held);
        return true;
    }
    std::vector<char *> arguments, variables;
    for (const std::string &word : words) arguments.push_back(const_cast<char *>(word.c_str()));
    arguments.push_back(nullptr);
    for (char **entry = environ; *entry; ++entry)
        if (!belongs_to_the_host(*entry)) variables.push_back(*entry);
    variables.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
#ifdef POSIX_SPAWN_SETSID
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
#else
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
#endif
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    if (held >= 0) posix_spawn_file_actions_adddup2(&files, held, kHeldFile);
    pid_t child = 0;
    const bool is_started = posix_spawn(&child, arguments[0], &files, &attributes, arguments.data(),
                                        variables.data()) == 0;
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (held >= 0) close(held);
    // It detaches itself within a moment and leaves no zombie behind.
    if (is_started) waitpid(child, nullptr, 0);
    return is_started;
}

}  // namespace highband

#endif

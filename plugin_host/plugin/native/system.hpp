// What each system does in its own way: map a file that both processes see, wait, wake, start the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#ifdef _WIN32
#define HIGHBAND_EXPORT extern "C" __declspec(dllexport)
#else
#define HIGHBAND_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace highband {

enum Bell { kInBell = 0, kOutBell = 1 };

struct Mapping {
    void *at = nullptr;
    size_t size = 0;
    std::string path;
    void *bells[2] = {nullptr, nullptr};  // Handles, where a system can't wait on the memory itself.
};

int64_t now_ns();
uint32_t process_id();

// The folder of the regions, made if need be and closed to other users; empty, with a sentence, where it can't be.
std::string runtime_folder(std::string &error);

// Where this library lies, so that the engine reads the memory with the same code.
std::string library_path();

// Map a region of exactly this size; a new one is made where `create` is set. False, with a sentence, if refused.
bool map_region(Mapping &mapping, const std::string &path, size_t size, bool create, std::string &error);
void unmap_region(Mapping &mapping, bool remove);

// Wait until the word is no longer `seen`, or so long; may return early.
void wait_bell(Mapping &mapping, Bell bell, std::atomic<uint32_t> &word, uint32_t seen, int64_t ns);
void wake_bell(Mapping &mapping, Bell bell, std::atomic<uint32_t> &word);

inline void sleep_until_bell(Mapping &mapping, Bell bell, std::atomic<uint32_t> &word, uint32_t seen,
                             std::atomic<uint32_t> &is_asleep, int64_t ns) {
    is_asleep.store(1);
    wait_bell(mapping, bell, word, seen, ns);
    is_asleep.store(0);
}

inline void ring_bell(Mapping &mapping, Bell bell, std::atomic<uint32_t> &word, std::atomic<uint32_t> &is_asleep) {
    word.fetch_add(1);
    if (is_asleep.load()) wake_bell(mapping, bell, word);
}

// Whether the engine can work on another core while this one looks out for it.
inline bool has_cores() {
    static const bool has = std::thread::hardware_concurrency() > 1;
    return has;
}

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Whether another process holds the lock of the engine's server.
bool is_server_running(const std::string &folder);

// Start a process that holds a lock until it closes all of its files; true also where another one that does is starting.
bool start_process(const std::vector<std::string> &words, const std::string &lock);

}  // namespace highband

// The memory that one plug-in instance and its engine share, and the rules both obey when they read it.
//
// Positions are absolute 64-bit samples since the region was made, so blocks of any length, loops and splits need no
// special case. Nothing that the other side wrote is trusted: counts are clamped, indices masked, texts bounded.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

namespace highband {

constexpr uint32_t kMagic = 0x48424e44, kLayout = 3;
constexpr uint32_t kRing = 32768, kEvents = 4096, kMostKnobs = 64, kMostChannels = 2, kText = 1u << 20;
constexpr uint32_t kLargestSlice = 8192, kMostChainLatency = 16384;
// Rings are indexed below it, so that a position minus any latency stays positive.
constexpr uint64_t kFirst = 1u << 20;
// An engine without a sign of life for so long is away.
constexpr int64_t kSilentNs = 2'000'000'000;

enum EngineState : uint32_t { kAbsent = 0, kJoining = 1, kPlaying = 2, kRefused = 3 };
enum EventKind : uint32_t { kKnob = 0, kSeek = 1 };

struct Event {
    uint64_t position;
    uint32_t kind, knob;
    double value;  // A knob's value in its unit, or the sample of the timeline.
};

struct alignas(64) Constants {
    uint32_t layout, size, channels, rate, knobs, pid;
    uint64_t table;  // Hash of the knobs' table: an engine with another one does not play.
    char stage[256], path[1024], library[1024], name[64];
    std::atomic<uint32_t> magic;  // Written last.
};

// `is_asleep`: whether this side waits for the other's bell, which costs nothing where it does not.
struct alignas(64) FromPlugin {
    std::atomic<uint64_t> in_pos, event_pos, seek_pos;
    std::atomic<int64_t> seek_sample;  // Sample of the timeline at seek_pos.
    std::atomic<uint32_t> bell, is_asleep, offline, playing, closed, buffer;
    std::atomic<uint32_t> panel;  // Whether the person in the DAW wants the instance's panel.
    std::atomic<double> tempo;
};

struct alignas(64) FromEngine {
    std::atomic<uint64_t> out_pos, valid_from;
    std::atomic<int64_t> heartbeat_ns;
    std::atomic<uint32_t> bell, is_asleep, pid, state, chain_latency, turns;
    std::atomic<uint32_t> panel_port;  // Where the instance's panel is, 0 where none runs.
};

struct alignas(64) Counters {
    std::atomic<uint64_t> calls, late, dry, longest_wait_ns, incomplete, resyncs;
    std::atomic<uint32_t> state;  // What the plug-in plays; see Policy in hop.hpp.
};

struct Turn {
    std::atomic<double> value;
    std::atomic<uint32_t> sequence;
};

// A text that one side writes and the other copies; an odd sequence means that it is being written.
struct Text {
    std::atomic<uint32_t> sequence, length;
    char bytes[kText];

    void write(const char *from, size_t count) {
        count = std::min<size_t>(count, kText);
        sequence.store(sequence.load() | 1u);
        std::memcpy(bytes, from, count);
        length.store(static_cast<uint32_t>(count));
        sequence.store((sequence.load() | 1u) + 1u);
    }

    bool read(std::string &into, uint32_t &seen) const {
        for (int tries = 0; tries < 8; ++tries) {
            const uint32_t before = sequence.load();
            if (before == seen || before == 0) return false;
            if (before & 1u) continue;
            std::string copy(bytes, std::min(length.load(), kText));
            if (sequence.load() != before) continue;
            into.swap(copy);
            seen = before;
            return true;
        }
        return false;
    }
};

struct Region {
    Constants constants;
    FromPlugin plugin;
    FromEngine engine;
    Counters counters;
    Turn host_knobs[kMostKnobs], engine_knobs[kMostKnobs];
    Event events[kEvents];
    Text session, document, reason;  // From the plug-in; from the engine; why the engine does not play.
    Text track;  // From the plug-in: the track that it is on.
    float in[kMostChannels][kRing], out[kMostChannels][kRing];
};

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<double>::is_always_lock_free);

inline void to_ring(float *ring, uint64_t position, const float *from, uint32_t count) {
    const uint32_t at = static_cast<uint32_t>(position % kRing), first = std::min(count, kRing - at);
    std::memcpy(ring + at, from, first * sizeof(float));
    std::memcpy(ring, from + first, (count - first) * sizeof(float));
}

inline void from_ring(const float *ring, uint64_t position, float *into, uint32_t count) {
    const uint32_t at = static_cast<uint32_t>(position % kRing), first = std::min(count, kRing - at);
    std::memcpy(into, ring + at, first * sizeof(float));
    std::memcpy(into + first, ring, (count - first) * sizeof(float));
}

}  // namespace highband

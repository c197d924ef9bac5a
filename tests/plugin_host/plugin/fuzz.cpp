// Both ends of a region while somebody writes nonsense all over it; run with sanitizers. Prints the blocks processed.
#include <cstdio>
#include <random>

#include "engine.hpp"
#include "plugin.hpp"

using namespace highband;

int main(int, char **words) {
    const double seconds = std::atof(words[1]);
    const uint64_t seed = std::strtoull(words[2], nullptr, 10);
    Plugin plugin;
    plugin.activate(48000.0, 2);
    Region *region = plugin.hop().region();
    if (!region) return 2;
    std::string error;
    EngineEnd engine;
    if (!engine.open(plugin.hop().path().c_str(), error)) return 3;
    std::atomic<bool> is_over{false};
    std::thread hostile([&] {
        std::mt19937_64 chance(seed);
        auto *bytes = reinterpret_cast<volatile unsigned char *>(region);
        const size_t knobs = offsetof(Region, events) + sizeof region->events;
        while (!is_over) {
            // Mostly where positions, counts and values are; the constants are read once and checked.
            const size_t room = chance() % 4 ? knobs : sizeof(Region);
            const size_t at = sizeof(Constants) + chance() % (room - sizeof(Constants) - 8);
            for (size_t i = 0; i < 8; ++i) bytes[at + i] = static_cast<unsigned char>(chance() >> (8 * i));
            if (chance() % 50 == 0) region->engine.state = kPlaying, region->engine.heartbeat_ns = now_ns();
            if (chance() % 50 == 0) region->plugin.in_pos = region->engine.out_pos = chance() % (1u << 22);
        }
    });
    std::thread worker([&] {
        std::vector<float> block(2 * 2048);
        std::vector<Event> events(256);
        Taken taken;
        std::string text;
        engine.attach(100);
        while (!is_over) {
            uint32_t seen = 0;
            if (engine.take(block.data(), 2048, 2048, 1'000'000, taken, events.data(), 256)) {
                if (taken.count > 2048 || taken.events > 256) std::abort();
                engine.give(block.data(), 2048, taken.count);
            }
            engine.beat();
            region->session.read(text, seen);
            engine.turn(taken.count, 1.0);
        }
    });
    std::mt19937_64 chance(seed + 1);
    std::vector<float> left(8192), right(8192);
    float *rows[] = {left.data(), right.data()};
    uint64_t blocks = 0;
    const int64_t end = now_ns() + static_cast<int64_t>(seconds * 1e9);
    while (now_ns() < end) {
        const uint32_t count = 1 + chance() % 8192;
        for (uint32_t i = 0; i < count; ++i) left[i] = right[i] = 0.5f;
        Clock clock;
        clock.is_playing = chance() % 2;
        clock.has_sample = true;
        clock.sample = static_cast<int64_t>(chance() >> 20);
        plugin.begin(clock);
        plugin.turn(chance() % count, chance() % kKnobCount, 1.0);
        plugin.run(rows, rows, count);
        for (uint32_t i = 0; i < count; ++i)
            if (!std::isfinite(left[i]) || !std::isfinite(right[i])) std::abort();
        plugin.turned([](Move, uint32_t, double value) {
            if (!std::isfinite(value)) std::abort();
        });
        plugin.save();
        plugin.engine_text(plugin.engine_state());
        ++blocks;
    }
    is_over = true;
    hostile.join();
    worker.join();
    std::printf("%llu\n", static_cast<unsigned long long>(blocks));
    return 0;
}

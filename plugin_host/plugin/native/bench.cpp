// A host without a DAW, for measurements: it paces instances as a sound card would, or plays them as fast as it can.
#include <algorithm>
#include <ctime>
#include <memory>

#include <pthread.h>

#include "plugin.hpp"

namespace highband::bench {
namespace {

constexpr int64_t kJoinNs = 60'000'000'000;
constexpr uint32_t kMostTurns = 64;

void sleep_until(int64_t ns) {
    const timespec time = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
#ifdef __linux__
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
#else
    (void)time;
    while (now_ns() < ns) std::this_thread::sleep_for(std::chrono::microseconds(100));
#endif
}

class Bench {
  public:
    Bench(const char *stage, const char *path, uint32_t instances, uint32_t block, uint32_t rate, uint32_t buffer)
        : block_(block), rate_(rate), left_(block), right_(block) {
        for (uint32_t i = 0; i < block; ++i) left_[i] = right_[i] = 0.1f * static_cast<float>((i * 7919) % 200 - 100) / 100.0f;
        for (uint32_t n = 0; n < instances; ++n) {
            plugins_.push_back(std::make_unique<Plugin>());
            plugins_.back()->set_stage(stage, path);
            plugins_.back()->set_buffer(buffer);
            plugins_.back()->activate(rate, 2);
        }
    }

    void play(bool is_offline) {
        Clock clock;
        clock.is_offline = is_offline;
        const float *in[] = {left_.data(), right_.data()};
        std::vector<float> out_left(block_), out_right(block_);
        float *out[] = {out_left.data(), out_right.data()};
        for (auto &plugin : plugins_) {
            plugin->begin(clock);
            plugin->run(in, out, block_);
            plugin->turned([this](Move move, uint32_t, double) {
                if (move == Move::kValue && turns_ < kMostTurns) turned_ns_[turns_] = now_ns(), ++turns_;
            });
        }
    }

    // When the host had what was turned on the engines' side.
    const int64_t *turned_ns() const { return turned_ns_; }
    uint64_t turns() const { return turns_; }

    // Play in real time until every engine plays.
    bool join() {
        const int64_t end = now_ns() + kJoinNs;
        while (now_ns() < end) {
            play(false);
            std::this_thread::sleep_for(std::chrono::nanoseconds(period()));
            if (std::all_of(plugins_.begin(), plugins_.end(), [](auto &one) { return one->engine_state() == kWet; }))
                return true;
        }
        return false;
    }

    int64_t period() const { return block_ * 1'000'000'000ll / rate_; }

    uint64_t late() {
        uint64_t sum = 0;
        for (auto &plugin : plugins_) sum += plugin->hop().region()->counters.late.load();
        return sum;
    }

  private:
    uint32_t block_, rate_;
    int64_t turned_ns_[kMostTurns] = {};
    std::atomic<uint64_t> turns_{0};
    std::vector<float> left_, right_;
    std::vector<std::unique_ptr<Plugin>> plugins_;
};

}  // namespace
}  // namespace highband::bench

// The layout that Python knows too; times of one block through one instance.
struct HighbandFigures {
    uint64_t blocks, late, missed, has_priority;
    double seconds, p50_us, p99_us, longest_us;
    uint64_t turns;
    int64_t turned_ns[highband::bench::kMostTurns];
};

HIGHBAND_EXPORT bool highband_bench(
    const char *stage, const char *path, uint32_t instances, uint32_t block, uint32_t rate, uint32_t buffer,
    double seconds, bool is_offline, HighbandFigures *figures) {
    using namespace highband;
    bench::Bench host(stage, path, instances, block, rate, buffer);
    bool has_joined = false;
    std::thread player([&] {
        has_joined = host.join();
        if (!has_joined) return;
        const sched_param wish = {65};
        figures->has_priority = pthread_setschedparam(pthread_self(), SCHED_FIFO, &wish) == 0;
        const uint64_t blocks = static_cast<uint64_t>(seconds * rate / block), late = host.late();
        std::vector<double> times;
        times.reserve(blocks);
        const int64_t began = now_ns();
        int64_t due = began;
        for (uint64_t n = 0; n < blocks; ++n) {
            if (!is_offline) {
                bench::sleep_until(due += host.period());
                // What the system did to this thread alone; a card would have lost the block.
                if (now_ns() - due > host.period() / 2) ++figures->missed, due = now_ns();
            }
            const int64_t before = now_ns();
            host.play(is_offline);
            times.push_back(static_cast<double>(now_ns() - before) / 1000.0 / instances);
            if (figures->turns == host.turns()) continue;
            std::copy_n(host.turned_ns(), host.turns(), figures->turned_ns);
            figures->turns = host.turns();
        }
        figures->seconds = static_cast<double>(now_ns() - began) / 1e9;
        figures->blocks = blocks * instances;
        figures->late = host.late() - late;
        std::sort(times.begin(), times.end());
        figures->p50_us = times[times.size() / 2];
        figures->p99_us = times[times.size() * 99 / 100];
        figures->longest_us = times.back();
    });
    player.join();
    return has_joined;
}

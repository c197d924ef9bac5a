// A host without a DAW, for measurements: it paces instances as a sound card would, or plays them as fast as it can.
#include <algorithm>
#include <ctime>
#include <memory>

#include <pthread.h>

#include "engine.hpp"
#include "plugin.hpp"

namespace highband::bench {
namespace {

constexpr int64_t kJoinNs = 60'000'000'000;
constexpr uint32_t kMostTurns = 64, kRoom = 2048, kMostEvents = 256;
// As the engine's audio thread and its host's have them.
constexpr int kEnginePriority = 60, kHostPriority = 65;

void sleep_until(int64_t ns) {
    const timespec time = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
#ifdef __linux__
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
#else
    (void)time;
    while (now_ns() < ns) std::this_thread::sleep_for(std::chrono::microseconds(100));
#endif
}

bool ask_for_priority(int priority) {
    const sched_param wish = {priority};
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &wish) == 0;
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

// The hop with an engine that gives back what it takes, in a thread of this library: what the machine itself needs.
class Bare {
  public:
    Bare(uint32_t block, uint32_t rate) : block_(block), rows_{std::vector<float>(block), std::vector<float>(block)} {
        Constants wish{};
        std::string error;
        wish.channels = 2;
        wish.rate = rate;
        if (!hop_.open(wish, error)) return;
        hop_.announce();
        if (!engine_.open(hop_.path().c_str(), error)) return;
        // Not for the engine's server.
        hop_.region()->constants.magic.store(0);
        hop_.set_latency(0, 0);
        hop_.restart();
        echo_ = std::thread([this] { echo(); });
    }

    ~Bare() {
        hop_.close();
        if (echo_.joinable()) echo_.join();
    }

    bool is_open() const { return echo_.joinable(); }

    void play() {
        float *rows[] = {rows_[0].data(), rows_[1].data()};
        hop_.process(rows, rows, block_, false);
    }

  private:
    void echo() {
        ask_for_priority(kEnginePriority);
        std::vector<float> block(kMostChannels * kRoom);
        std::vector<Event> events(kMostEvents);
        Taken taken;
        engine_.attach(0);
        while (!engine_.region()->plugin.closed) {
            engine_.beat();
            if (engine_.take(block.data(), kRoom, kRoom, 50'000'000, taken, events.data(), kMostEvents))
                engine_.give(block.data(), kRoom, taken.count);
        }
    }

    uint32_t block_;
    std::vector<float> rows_[2];
    EngineEnd engine_;
    Hop hop_;
    std::thread echo_;
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

namespace highband::bench {
namespace {

// Play blocks on this thread, as a sound card would or as fast as can be, and note what each takes.
template <class Play> void pace(uint64_t blocks, int64_t period_ns, bool is_offline, Play play, HighbandFigures &figures) {
    figures.has_priority = ask_for_priority(kHostPriority);
    std::vector<double> times;
    times.reserve(blocks);
    const int64_t began = now_ns();
    int64_t due = began;
    for (uint64_t n = 0; n < blocks; ++n) {
        if (!is_offline) {
            sleep_until(due += period_ns);
            // What the system did to this thread alone; a card would have lost the block.
            if (now_ns() - due > period_ns / 2) ++figures.missed, due = now_ns();
        }
        const int64_t before = now_ns();
        play();
        times.push_back(static_cast<double>(now_ns() - before) / 1000.0);
    }
    figures.blocks = blocks;
    figures.seconds = static_cast<double>(now_ns() - began) / 1e9;
    std::sort(times.begin(), times.end());
    figures.p50_us = times[times.size() / 2];
    figures.p99_us = times[times.size() * 99 / 100];
    figures.longest_us = times.back();
}

}  // namespace
}  // namespace highband::bench

HIGHBAND_EXPORT bool highband_bench(
    const char *stage, const char *path, uint32_t instances, uint32_t block, uint32_t rate, uint32_t buffer,
    double seconds, bool is_offline, HighbandFigures *figures) {
    using namespace highband;
    bench::Bench host(stage, path, instances, block, rate, buffer);
    bool has_joined = false;
    std::thread player([&] {
        has_joined = host.join();
        if (!has_joined) return;
        const uint64_t late = host.late();
        const auto play = [&] {
            host.play(is_offline);
            if (figures->turns == host.turns()) return;
            std::copy_n(host.turned_ns(), host.turns(), figures->turned_ns);
            figures->turns = host.turns();
        };
        bench::pace(static_cast<uint64_t>(seconds * rate / block), host.period(), is_offline, play, *figures);
        figures->blocks *= instances;
        for (double *time : {&figures->p50_us, &figures->p99_us, &figures->longest_us}) *time /= instances;
        figures->late = host.late() - late;
    });
    player.join();
    return has_joined;
}

HIGHBAND_EXPORT bool highband_bench_bare(uint32_t block, uint32_t rate, double seconds, HighbandFigures *figures) {
    using namespace highband;
    bench::Bare host(block, rate);
    if (!host.is_open()) return false;
    const uint64_t blocks = static_cast<uint64_t>(seconds * rate / block);
    std::thread([&] { bench::pace(blocks, block * 1'000'000'000ll / rate, false, [&] { host.play(); }, *figures); }).join();
    return true;
}

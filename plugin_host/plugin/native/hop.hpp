// The plug-in's end of a region: a block goes to the engine and comes back, or the aligned dry signal plays.
//
// A sample leaves the plug-in exactly `latency` samples after it came in, whoever processed it. Real time waits for the
// engine at most half a block; a bounce waits until the block is done, so that it is complete and repeats bit for bit.
#pragma once

#include <array>
#include <cmath>
#include <filesystem>
#include <vector>

#include "region.hpp"
#include "system.hpp"

namespace highband {

enum Policy : uint32_t { kAway = 0, kJoin = 1, kWet = 2, kLate = 3, kRefuse = 4 };

// What the host says about a block.
struct Clock {
    bool is_offline = false, is_playing = false, has_sample = false;
    int64_t sample = 0;
    double tempo = 0.0;
};

class Hop {
  public:
    static constexpr int64_t kOfflineNs = 10'000'000'000, kStartNs = 30'000'000'000;
    static constexpr uint32_t kRescue = 64, kDry = 65536;
    static constexpr int64_t kLookOutNs = 400'000;

    ~Hop() { close(); }

    // Make the region; true if one was made, false where the one that is there goes on or where none can be made.
    bool open(const Constants &wish, std::string &error) {
        if (region_ && region_->constants.rate == wish.rate && region_->constants.channels == wish.channels)
            return false;
        close();
        channels_ = wish.channels;
        rate_ = wish.rate;
        for (auto &row : dry_) row.assign(kDry, 0.0f);
        const std::string folder = runtime_folder(error);
        const std::string path = folder + "/" + fresh_name(folder) + std::to_string(now_ns() & 0xffffffff) + ".region";
        if (folder.empty() || !map_region(mapping_, path, sizeof(Region), true, error)) return false;
        region_ = static_cast<Region *>(mapping_.at);
        Constants &constants = region_->constants;
        constants.layout = kLayout;
        constants.size = sizeof(Region);
        constants.channels = wish.channels;
        constants.rate = wish.rate;
        constants.knobs = wish.knobs;
        constants.table = wish.table;
        constants.pid = process_id();
        std::memcpy(constants.stage, wish.stage, sizeof wish.stage);
        std::memcpy(constants.path, wish.path, sizeof wish.path);
        library_path().copy(constants.library, sizeof constants.library - 1);
        std::memcpy(constants.name, wish.name, sizeof wish.name);
        region_->plugin.in_pos = region_->engine.out_pos = position_ = kFirst;
        return true;
    }

    void announce() { if (region_) region_->constants.magic.store(kMagic); }

    void close() {
        if (region_) {
            region_->plugin.closed = 1;
            ring_in();
        }
        region_ = nullptr;
        unmap_region(mapping_, true);
    }

    Region *region() { return region_; }
    const std::string &path() const { return mapping_.path; }
    uint64_t position() const { return position_; }
    Policy policy() const { return policy_; }
    void set_may_start(bool may) { may_start_ = may; }

    uint32_t buffer() const { return buffer_; }
    uint32_t chain_latency() const { return chain_latency_; }
    uint32_t latency() const { return buffer_ + chain_latency_; }

    // Before the first block, or while no block is processed.
    void set_latency(uint32_t buffer, uint32_t chain) {
        buffer_ = buffer;
        chain_latency_ = std::min(chain, kMostChainLatency);
        if (region_) region_->plugin.buffer = buffer;
    }

    // While blocks are processed: what comes back then is another stretch of the engine's output, so it fades in.
    void change_buffer(uint32_t samples) {
        set_latency(samples, chain_latency_);
        wetness_ = std::min(wetness_, 0.0f);
    }

    // Begin from silence: nothing that was played before is heard after.
    void restart() {
        for (auto &row : dry_) std::fill(row.begin(), row.end(), 0.0f);
        start_ = position_;
        was_playing_ = was_offline_ = false;
        has_seek_ = false;
        has_given_up_ = false;
        wetness_ = -1.0f;
        rescue_left_ = 0;
        last_.fill(0.0f);
    }

    // The knob has this value from so many samples after the next block's first one.
    void knob(uint32_t offset, uint32_t knob, double value) {
        if (!region_ || knob >= kMostKnobs) return;
        region_->host_knobs[knob].value.store(value);
        region_->host_knobs[knob].sequence.fetch_add(1);
        push({position_ + offset, kKnob, knob, value});
    }

    // Rows may be the same memory for input and output.
    void process(const float *const *in, float *const *out, uint32_t count, bool is_offline) {
        for (uint32_t done = 0; done < count;) {
            const uint32_t size = std::min(count - done, kLargestSlice);
            slice(in, out, done, size, is_offline);
            done += size;
        }
    }

    // The samples of the next block begin here on the timeline; to be called before the block's knobs.
    // True if they do not go on where the last ones ended.
    bool follow(const Clock &clock) {
        if (!region_) return false;
        FromPlugin &own = region_->plugin;
        own.offline = clock.is_offline;
        own.playing = clock.is_playing;
        own.tempo = clock.tempo;
        const bool has_started = clock.is_playing && !was_playing_, goes_offline = clock.is_offline && !was_offline_;
        const bool is_known = clock.is_playing && clock.has_sample;
        // A host may name any sample: sums of unsigned numbers have no overflow.
        const int64_t here = is_known ? clock.sample : 0;
        const int64_t due = static_cast<int64_t>(static_cast<uint64_t>(offset_) + position_);
        const bool jumps = !has_seek_ || has_started || goes_offline || (is_known && here != due);
        if (goes_offline) region_->counters.incomplete = 0;
        if (jumps) {
            const int64_t sample = is_known || !has_seek_ ? here : due;
            offset_ = static_cast<int64_t>(static_cast<uint64_t>(sample) - position_);
            own.seek_sample = sample;
            own.seek_pos.store(position_);
            push({position_, kSeek, 0, static_cast<double>(sample)});
        }
        has_seek_ = true;
        was_playing_ = clock.is_playing;
        was_offline_ = clock.is_offline;
        return jumps;
    }

    bool is_engine_alive() const {
        return region_ && region_->engine.state.load() == kPlaying &&
               since(region_->engine.heartbeat_ns.load()) < kSilentNs;
    }

  private:
    // The time since a moment that the other side names, which may be any number: a difference without overflow.
    static int64_t since(int64_t moment_ns) {
        return static_cast<int64_t>(static_cast<uint64_t>(now_ns()) - static_cast<uint64_t>(moment_ns));
    }

    // The beginning of a region's name, by which people know the instance; each format's library counts its own.
    static std::string fresh_name(const std::string &folder) {
        static std::atomic<uint32_t> number{0};
        std::error_code ignored;
        while (true) {
            const std::string name = std::to_string(process_id()) + "-" + std::to_string(++number) + "-";
            bool is_taken = false;
            for (const auto &file : std::filesystem::directory_iterator(folder, ignored))
                is_taken |= file.path().filename().string().compare(0, name.size(), name) == 0;
            if (!is_taken) return name;
        }
    }

    void push(const Event &event) {
        const uint64_t at = region_->plugin.event_pos.load(std::memory_order_relaxed);
        region_->events[at % kEvents] = event;
        region_->plugin.event_pos.store(at + 1, std::memory_order_release);
    }

    void ring_in() {
        ring_bell(mapping_, kInBell, region_->plugin.bell, region_->engine.is_asleep);
    }

    void slice(const float *const *in, float *const *out, uint32_t start, uint32_t count, bool is_offline) {
        const uint64_t position = position_;
        for (uint32_t c = 0; c < channels_; ++c) {
            remember(c, position, in[c] + start, count);
            if (region_) to_ring(region_->in[c], position, in[c] + start, count);
        }
        position_ += count;
        const bool is_wet = region_ && exchange(position, count, is_offline);
        const float step = 1.0f / (0.010f * static_cast<float>(rate_));
        float wetness = wetness_;
        for (uint32_t c = 0; c < channels_; ++c) wetness = mix(c, position, out[c] + start, count, is_wet, step);
        wetness_ = is_wet ? wetness : 0.0f;
        rescue_left_ -= std::min(rescue_left_, count);
    }

    void remember(uint32_t channel, uint64_t position, const float *from, uint32_t count) {
        float *row = dry_[channel].data();
        for (uint32_t i = 0; i < count; ++i) row[(position + i) % kDry] = std::isfinite(from[i]) ? from[i] : 0.0f;
    }

    float dry(uint32_t channel, uint64_t position) const {
        const uint64_t at = position - latency();
        return at < start_ ? 0.0f : dry_[channel][at % kDry];
    }

    // Give the block to the engine; true if every sample that is due has come back from it.
    bool exchange(uint64_t position, uint32_t count, bool is_offline) {
        Counters &counters = region_->counters;
        counters.calls.fetch_add(1, std::memory_order_relaxed);
        region_->plugin.in_pos.store(position + count, std::memory_order_release);
        ring_in();
        adopt_latency();
        const uint64_t first = position - buffer_, due = position + count - buffer_;
        // A bounce waits for all that went in: what the engine gets at once then never depends on its speed.
        const int64_t began = now_ns();
        // An engine that is behind is not waited for: that would only cost the host's time.
        const bool is_behind = region_->engine.out_pos.load() < position;
        const int64_t patience = is_behind && policy_ == kLate ? 0 : count * 500'000'000ll / rate_;
        const bool has_come = is_offline ? wait_offline(position + count, began) : wait_live(due, began, patience);
        const uint64_t waited = static_cast<uint64_t>(now_ns() - began);
        if (waited > counters.longest_wait_ns.load(std::memory_order_relaxed)) counters.longest_wait_ns = waited;
        const uint64_t ready = region_->engine.out_pos.load(std::memory_order_acquire);
        const bool is_kept = ready >= due && ready - first <= kRing;
        const bool is_whole = std::max(first, start_) >= region_->engine.valid_from.load();
        note(is_offline, has_come && is_kept && is_whole, has_come);
        return has_come && is_kept && is_whole;
    }

    void note(bool is_offline, bool is_wet, bool has_come) {
        Counters &counters = region_->counters;
        const uint32_t state = region_->engine.state.load();
        const bool lives = is_engine_alive();
        if (is_wet) {
            policy_ = kWet;
        } else {
            counters.dry.fetch_add(1, std::memory_order_relaxed);
            if (is_offline) counters.incomplete.fetch_add(1, std::memory_order_relaxed);
            if (lives && !has_come && !is_offline) counters.late.fetch_add(1, std::memory_order_relaxed);
            policy_ = state == kRefused ? kRefuse : !lives ? kAway : has_come ? kJoin : kLate;
        }
        counters.state.store(policy_, std::memory_order_relaxed);
    }

    bool wait_live(uint64_t due, int64_t began, int64_t patience) {
        while (is_engine_alive()) {
            const uint32_t seen = region_->engine.bell.load();
            if (region_->engine.out_pos.load(std::memory_order_acquire) >= due) return true;
            const int64_t waited = now_ns() - began, left = patience - waited;
            if (left <= 0) return false;
            // An answer that is about to come is looked out for: to be woken takes as long as the engine's own work.
            if (waited < patience / 4 && has_cores())
                relax();
            else
                wait_for_engine(seen, left);
        }
        return false;
    }

    void wait_for_engine(uint32_t seen, int64_t ns) {
        sleep_until_bell(mapping_, kOutBell, region_->engine.bell, seen, region_->plugin.is_asleep, ns);
    }

    bool wait_offline(uint64_t due, int64_t began) {
        // The patience begins anew whenever something has come of it.
        const int64_t most = began + 2 * kStartNs, look_out = began + kLookOutNs;
        bool lived = false;
        uint64_t reached = 0;
        while (true) {
            const uint32_t seen = region_->engine.bell.load();
            const bool lives = is_engine_alive();
            const uint64_t ready = region_->engine.out_pos.load(std::memory_order_acquire);
            if (lives && ready >= due) {
                has_given_up_ = false;
                return true;
            }
            if (region_->engine.state.load() == kRefused) return false;
            if (!lives && (!may_start_ || has_given_up_)) return false;
            if ((lives != lived || (lives && ready != reached)) && now_ns() < most) began = now_ns();
            lived = lives;
            reached = ready;
            const int64_t now = now_ns(), left = began + (lives ? kOfflineNs : kStartNs) - now;
            if (left <= 0) {
                has_given_up_ = true;
                return false;
            }
            if (lives && now < look_out && has_cores())
                relax();
            else
                wait_for_engine(seen, std::min<int64_t>(left, 20'000'000));
        }
    }

    // The chain has another latency than was known: the dry signal moves there, and the host is to be asked.
    void adopt_latency() {
        if (!is_engine_alive()) return;
        const uint32_t chain = std::min(region_->engine.chain_latency.load(), kMostChainLatency);
        if (chain == chain_latency_) return;
        chain_latency_ = chain;
        wetness_ = std::min(wetness_, 0.0f);
    }

    // Fill a row with wet, dry or the fade between them; returns the share of wet after it.
    float mix(uint32_t c, uint64_t position, float *out, uint32_t count, bool is_wet, float step) {
        float share = wetness_ < 0.0f ? (is_wet ? 1.0f : 0.0f) : wetness_;
        const float was = last_[c], before = dry(c, position - 1);
        if (c == 0 && !is_wet && share > 0.0f) rescue_left_ = kRescue;
        if (!is_wet && share > 0.0f) rescue_[c] = was - before;
        if (is_wet) from_ring(region_->out[c], position - buffer_, out, count);
        for (uint32_t i = 0; i < count; ++i) {
            const float plain = dry(c, position + i);
            if (is_wet) {
                if (position + i - buffer_ < start_) out[i] = 0.0f;
                share = std::min(1.0f, share + step);
                // What does not come from this memory alone may be anything.
                if (!std::isfinite(out[i])) out[i] = plain;
                if (share < 1.0f) out[i] = plain + share * (out[i] - plain);
            } else {
                const float left = i < rescue_left_ ? static_cast<float>(rescue_left_ - i) / kRescue : 0.0f;
                out[i] = left > 0.0f ? plain + left * rescue_[c] : plain;
            }
        }
        if (count) last_[c] = out[count - 1];
        return share;
    }

    Mapping mapping_;
    Region *region_ = nullptr;
    uint32_t channels_ = 0, rate_ = 48000, rescue_left_ = 0;
    std::atomic<uint32_t> buffer_{256}, chain_latency_{0};
    uint64_t position_ = kFirst, start_ = kFirst;
    int64_t offset_ = 0;
    bool was_playing_ = false, was_offline_ = false, has_seek_ = false, has_given_up_ = false;
    std::atomic<bool> may_start_{false};
    float wetness_ = -1.0f;  // Below zero until the first block, which starts as it is, without a fade.
    Policy policy_ = kAway;
    std::array<float, kMostChannels> last_{}, rescue_{};
    std::array<std::vector<float>, kMostChannels> dry_;
};

}  // namespace highband

// The engine's end of a region: what went in comes out in order, cut where a knob moves or the timeline jumps.
#pragma once

#include "region.hpp"
#include "system.hpp"

namespace highband {

// The layout that the engine's Python side knows too.
struct Taken {
    uint64_t position;
    uint32_t count, events, is_offline, has_lost;
};

class EngineEnd {
  public:
    static constexpr int64_t kLookOutNs = 100'000;

    ~EngineEnd() { unmap_region(mapping_, false); }

    bool open(const char *path, std::string &error) {
        if (!map_region(mapping_, path, sizeof(Region), false, error)) return false;
        region_ = static_cast<Region *>(mapping_.at);
        const Constants &constants = region_->constants;
        channels_ = constants.channels;
        const bool is_right = constants.magic.load() == kMagic && constants.layout == kLayout &&
                              constants.size == sizeof(Region) && channels_ >= 1 && channels_ <= kMostChannels;
        if (!is_right) error = std::string(path) + " is not a region of this version";
        return is_right;
    }

    Region *region() { return region_; }

    // Begin to play: live with the next sample, in a bounce with the newest jump, so that not a sample is missed.
    void attach(uint32_t chain_latency) {
        latency_ = std::min(chain_latency, kMostChainLatency);
        const FromPlugin &plugin = region_->plugin;
        taken_ = plugin.in_pos.load(std::memory_order_acquire);
        event_ = plugin.event_pos.load(std::memory_order_acquire);
        const uint64_t seek = plugin.seek_pos.load(), kept = taken_ - std::min<uint64_t>(taken_, kRing / 2);
        if (plugin.offline.load() && seek <= taken_) taken_ = std::max(seek, kept);
        region_->engine.out_pos.store(taken_);
        region_->engine.valid_from.store(taken_ == seek ? taken_ : taken_ + latency_);
        region_->engine.chain_latency.store(latency_);
        // What was set since then is set again.
        const uint64_t oldest = event_ - std::min<uint64_t>(event_, kEvents / 2);
        while (event_ > oldest && region_->events[(event_ - 1) % kEvents].position >= taken_) --event_;
        beat();
        set_state(kPlaying);
    }

    // The sample of the timeline that comes next, by the newest jump.
    int64_t timeline() const {
        const FromPlugin &plugin = region_->plugin;
        return static_cast<int64_t>(static_cast<uint64_t>(plugin.seek_sample.load()) + taken_ - plugin.seek_pos.load());
    }
    void set_latency(uint32_t samples) { region_->engine.chain_latency.store(std::min(samples, kMostChainLatency)); }

    void set_state(uint32_t state) {
        region_->engine.pid.store(process_id());
        region_->engine.state.store(state);
        ring_out();
    }

    void beat() { region_->engine.heartbeat_ns.store(now_ns()); }

    // Wait for samples and copy them, `room` a channel at most; false where there are none after so long.
    bool take(float *block, uint32_t stride, uint32_t room, int64_t ns, Taken &taken, Event *events, uint32_t most) {
        FromPlugin &plugin = region_->plugin;
        const uint32_t seen = plugin.bell.load();
        uint64_t ready = plugin.in_pos.load(std::memory_order_acquire);
        if (ready == taken_) {
            wait_for_plugin(seen, ns);
            ready = plugin.in_pos.load(std::memory_order_acquire);
            if (ready == taken_) return false;
        }
        note_arrival(ready);
        taken.has_lost = ready < taken_ || ready - taken_ > kRing - kLargestSlice;
        if (taken.has_lost) resynchronise(ready);
        if (has_lost_events()) taken.has_lost = 1;
        taken.events = due_events(events, most);
        uint64_t count = std::min<uint64_t>(ready - taken_, room);
        if (event_ < seen_events_) {
            const uint64_t next = region_->events[event_ % kEvents].position;
            if (next > taken_) count = std::min(count, next - taken_);
        }
        taken.position = taken_;
        taken.count = static_cast<uint32_t>(count);
        taken.is_offline = plugin.offline.load();
        for (uint32_t c = 0; c < channels_; ++c) from_ring(region_->in[c], taken_, block + c * stride, taken.count);
        return true;
    }

    void give(const float *block, uint32_t stride, uint32_t count) {
        count = std::min(count, kRing / 2);
        for (uint32_t c = 0; c < channels_; ++c) to_ring(region_->out[c], taken_, block + c * stride, count);
        taken_ += count;
        region_->engine.out_pos.store(taken_, std::memory_order_release);
        ring_out();
    }

    // A knob was turned on this side, by the panel, MIDI or OSC.
    void turn(uint32_t knob, double value) {
        if (knob >= kMostKnobs) return;
        region_->engine_knobs[knob].value.store(value);
        region_->engine_knobs[knob].sequence.fetch_add(1);
        region_->engine.turns.fetch_add(1);
    }

  private:
    void ring_out() {
        ring_bell(mapping_, kOutBell, region_->engine.bell, region_->plugin.is_asleep);
    }

    // Sleep, but look out for a block that is due in a moment: to be woken takes longer than the work itself. In a bounce
    // that is at once; live where blocks come regularly. What is looked out in vain is a tenth of the time at most.
    void wait_for_plugin(uint32_t seen, int64_t ns) {
        std::atomic<uint32_t> &bell = region_->plugin.bell;
        const int64_t now = now_ns(), margin = std::min(kLookOutNs, period_ns_ / 20);
        const int64_t due = region_->plugin.offline.load() ? now : arrived_ns_ + period_ns_;
        const int64_t early = due - margin - now;
        if (has_cores() && is_regular_ && early < ns) {
            if (early > 0) sleep_until_bell(mapping_, kInBell, bell, seen, region_->engine.is_asleep, early);
            while (bell.load() == seen && now_ns() < due + margin) relax();
        }
        if (bell.load() == seen) sleep_until_bell(mapping_, kInBell, bell, seen, region_->engine.is_asleep, ns);
    }

    void note_arrival(uint64_t ready) {
        const uint64_t count = std::min<uint64_t>(ready - arrived_, kRing);
        if (!count) return;
        const int64_t now = now_ns();
        const bool is_offline = region_->plugin.offline.load();
        is_regular_ = is_offline || std::abs(now - arrived_ns_ - period_ns_) < 4 * kLookOutNs;
        arrived_ = ready;
        arrived_ns_ = now;
        period_ns_ = static_cast<int64_t>(count) * 1'000'000'000 / std::max(1u, region_->constants.rate);
    }

    void resynchronise(uint64_t ready) {
        region_->counters.resyncs.fetch_add(1);
        taken_ = ready - std::min<uint64_t>(ready, 1);
        event_ = region_->plugin.event_pos.load(std::memory_order_acquire);
        region_->engine.valid_from.store(taken_ + latency_);
    }

    bool has_lost_events() {
        seen_events_ = region_->plugin.event_pos.load(std::memory_order_acquire);
        if (seen_events_ >= event_ && seen_events_ - event_ <= kEvents / 2) return false;
        event_ = seen_events_;
        return true;
    }

    // Copy the events that hold from the next sample on.
    uint32_t due_events(Event *events, uint32_t most) {
        uint32_t count = 0;
        while (event_ < seen_events_ && count < most) {
            const Event event = region_->events[event_ % kEvents];
            if (event.position > taken_) break;
            events[count++] = event;
            ++event_;
        }
        return count;
    }

    Mapping mapping_;
    Region *region_ = nullptr;
    uint32_t channels_ = 1, latency_ = 0;
    uint64_t taken_ = kFirst, event_ = 0, seen_events_ = 0;
    // The newest block: until where, when, and how long after it the next one is due.
    uint64_t arrived_ = kFirst;
    int64_t arrived_ns_ = 0, period_ns_ = 0;
    bool is_regular_ = false;
};

}  // namespace highband

// One instance, whatever the format: knobs, session state, latency, and a thread that looks after the engine.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "hop.hpp"
#include "knobs.hpp"
#include "stage.hpp"
#include "state.hpp"

namespace highband {

constexpr uint32_t kBuffers[] = {0, 64, 128, 256, 512, 1024, 2048};
constexpr uint32_t kBufferChoices = 7, kEngineStates = 6;
// The parameters that any product has behind its knobs.
constexpr uint32_t kBufferId = 0x62756666, kEngineId = 0x656e6769, kPanelId = 0x70616e65, kOwnParameters = 3;
constexpr const char *kEngineTexts[kEngineStates] = {"away: dry", "joining: dry", "playing", "late: dry", "refused: dry",
                                                     "bounce incomplete"};
constexpr size_t kMostTrack = 255, kMostSent = 16;
constexpr int64_t kTryAgainNs = 5'000'000'000;
constexpr auto kLookEvery = std::chrono::milliseconds(20);

// What the host is to record of a knob that is turned on the engine's side.
enum class Move { kBegin, kValue, kEnd };

inline uint32_t buffer_choice(uint32_t samples) {
    uint32_t choice = 0;
    while (choice + 1 < kBufferChoices && kBuffers[choice] < samples) ++choice;
    return choice;
}

class Plugin {
  public:
    Plugin() {
        for (uint32_t k = 0; k < kKnobCount; ++k) values_[k] = kKnobs[k].initial;
    }

    ~Plugin() { retire(); }

    // Play another stage than the one this library was made for, which must have the same knobs; before activation.
    void set_stage(const std::string &stage, const std::string &path) {
        stage_ = stage;
        path_ = path;
    }

    // Ardour says of a block which sample of the song is heard when it is played, after the latency, not which one it is.
    void set_host(const std::string &name) { is_clock_of_output_ = name == "Ardour"; }

    // The host's name for the track that the plug-in is on; from its main thread.
    void set_track(const std::string &name) {
        std::lock_guard<std::mutex> guard(life_);
        track_ = name.substr(0, kMostTrack);
        if (Region *region = hop_.region()) region->track.write(track_.data(), track_.size());
    }

    // Whether the instance's panel is wanted: turned on it opens in the browser, turned off it ends. Not in a bounce, where
    // nobody looks on.
    void set_panel(bool is_wanted) {
        if (!is_bouncing_) is_panel_wanted_ = is_wanted;
    }

    bool is_panel_wanted() const { return is_panel_wanted_; }

    // Called from any thread when the host should ask for the latency anew.
    std::function<void()> on_wish = [] {};

    static const Knob *knob(uint32_t id, uint32_t &index) {
        for (index = 0; index < kKnobCount; ++index)
            if (kKnobs[index].id == id) return &kKnobs[index];
        return nullptr;
    }

    double value(uint32_t index) const { return values_[index].load(); }

    // While no block is processed.
    void set_value(uint32_t index, double value) {
        if (is_echo(index, value)) return;
        values_[index] = allowed(kKnobs[index], value);
        resend_ = true;
    }

    // What the host shows, whose blocks say it too; not of a knob that is held on the engine's side.
    void show_value(uint32_t index, double value) {
        if (!(touched_ >> index & 1u)) values_[index] = allowed(kKnobs[index], value);
    }

    uint32_t buffer() const { return buffer_.load(); }

    void set_buffer(uint32_t samples) {
        buffer_ = kBuffers[buffer_choice(samples)];
        if (buffer_ != hop_.buffer()) wish();
    }

    // What the host knows.
    uint32_t latency() {
        reported_latency_ = buffer_.load() + chain_latency();
        return reported_latency_;
    }

    // Whether the host knows another latency.
    bool has_news() { return reported_latency_ != buffer_.load() + chain_latency(); }

    void activate(double rate, uint32_t channels) {
        std::lock_guard<std::mutex> guard(life_);
        const uint32_t before = rate_;
        rate_ = static_cast<uint32_t>(rate + 0.5);
        // An engine that goes on knows better than the session what its chain takes.
        const bool goes_on = rate_ == before && hop_.is_engine_alive();
        hop_.set_latency(buffer_, goes_on ? hop_.chain_latency() : expected_latency());
        Constants wish{};
        describe(wish, channels);
        if (hop_.open(wish, fault_)) {
            hop_.set_latency(buffer_, expected_latency());
            Region &region = *hop_.region();
            region.session.write(kept_.text.data(), kept_.text.size());
            region.track.write(track_.data(), track_.size());
            seen_document_ = seen_turns_ = 0;
            std::fill(std::begin(seen_sequences_), std::end(seen_sequences_), 0);
            // Positions begin anew.
            std::fill(std::begin(rests_at_), std::end(rests_at_), 0);
            for (auto &sent : sent_) std::fill(std::begin(sent), std::end(sent), Sent{});
            hop_.announce();
        }
        hop_.set_may_start(may_start());
        hop_.restart();
        resend_ = true;
        if (!keeper_.joinable()) keeper_ = std::thread([this] { keep(); });
    }

    // Forget the past; the next block begins from silence.
    void restart() {
        hop_.restart();
        resend_ = true;
    }

    // The audio thread, in this order: begin, turn (by rising offsets), run.

    void begin(const Clock &clock) {
        clock_ = clock;
        is_bouncing_ = clock.is_offline;
        if (hop_.buffer() != buffer_) hop_.change_buffer(buffer_);
        if (is_clock_of_output_) clock_.sample += hop_.latency();
        const bool jumps = hop_.follow(clock_), resends = resend_.exchange(false);
        if (!jumps && !resends) return;
        // A knob that is held on the engine's side may be further there than here.
        for (uint32_t k = 0; k < kKnobCount; ++k)
            if (resends || !(touched_ >> k & 1u)) hop_.knob(0, k, values_[k]);
    }

    void turn(uint32_t offset, uint32_t index, double value) {
        if (is_echo(index, value)) return;
        values_[index] = allowed(kKnobs[index], value);
        hop_.knob(offset, index, values_[index]);
    }

    void run(const float *const *in, float *const *out, uint32_t count) {
        hop_.process(in, out, count, clock_.is_offline);
    }

    // Call with (move, index, value) for each knob that is turned on the engine's side. Its gesture lasts until it has rested
    // for a quarter of a second, so that a drag is one; where no blocks are played it ends at once.
    template <class Use> void turned(Use use, bool is_playing = true) {
        Region *region = hop_.region();
        if (!region || (region->engine.turns.load() == seen_turns_ && !touched_)) return;
        seen_turns_ = region->engine.turns.load();
        const uint64_t now = hop_.position();
        for (uint32_t k = 0; k < kKnobCount; ++k) {
            const uint64_t bit = 1ull << k;
            const uint32_t sequence = region->engine_knobs[k].sequence.load();
            if (sequence != seen_sequences_[k]) {
                seen_sequences_[k] = sequence;
                values_[k] = allowed(kKnobs[k], region->engine_knobs[k].value.load());
                region->host_knobs[k].value.store(values_[k]);
                sent_[k][++newest_[k] % kMostSent] = {values_[k], now + rate_};
                rests_at_[k] = now + rate_ / 4;
                if (!(touched_.fetch_or(bit) & bit)) use(Move::kBegin, k, values_[k].load());
                use(Move::kValue, k, values_[k].load());
            }
            if (!(touched_ & bit) || (is_playing && now < rests_at_[k])) continue;
            touched_ &= ~bit;
            use(Move::kEnd, k, values_[k].load());
        }
    }

    // Which of kEngineTexts holds now; a bounce that lacked blocks is remembered until the next one.
    uint32_t engine_state() {
        Region *region = hop_.region();
        if (!region) return kAway;
        return region->counters.incomplete.load() ? kEngineStates - 1 : hop_.policy();
    }

    std::string engine_text(uint32_t state) {
        std::string text = kEngineTexts[std::min(state, kEngineStates - 1)];
        std::lock_guard<std::mutex> guard(life_);
        std::string reason = fault_;
        uint32_t any = 0;
        if (hop_.region()) hop_.region()->reason.read(reason, any);
        return reason.empty() ? text : text + " (" + reason.substr(0, 200) + ")";
    }

    std::string save() {
        std::lock_guard<std::mutex> guard(life_);
        read_document();
        for (uint32_t k = 0; k < kKnobCount; ++k) kept_.knobs[kKnobs[k].id] = values_[k];
        kept_.buffer = buffer_;
        if (hop_.is_engine_alive()) {
            kept_.rate = rate_;
            kept_.chain_latency = hop_.chain_latency();
        }
        return write_state(kept_);
    }

    // Take over a state; false, and nothing changes, if it is not one.
    bool load(const std::string &bytes, bool with_knobs = true) {
        State state;
        if (!StateReader(bytes).read(state)) return false;
        std::lock_guard<std::mutex> guard(life_);
        const uint32_t buffer = state.newer.empty() ? kBuffers[buffer_choice(state.buffer)] : buffer_.load();
        kept_ = state;
        has_state_ = state.newer.empty();
        // A knob that is younger than the state was at its default then.
        if (with_knobs && has_state_)
            for (uint32_t k = 0; k < kKnobCount; ++k) {
                const auto kept = state.knobs.find(kKnobs[k].id);
                values_[k] = kept == state.knobs.end() ? kKnobs[k].initial : allowed(kKnobs[k], kept->second);
            }
        buffer_ = buffer;
        resend_ = true;
        if (Region *region = hop_.region()) region->session.write(kept_.text.data(), kept_.text.size());
        else if (rate_) hop_.set_latency(buffer_, expected_latency());
        wish();
        return true;
    }

    Hop &hop() { return hop_; }

    void retire() {
        {
            std::lock_guard<std::mutex> guard(life_);
            is_over_ = true;
        }
        over_.notify_all();
        if (keeper_.joinable()) keeper_.join();
        hop_.close();
    }

  private:
    // A value that the host was given.
    struct Sent {
        double value;
        uint64_t until;
    };

    void wish() { on_wish(); }

    // Whether the host gives back what it was given, as most do: the knob may have been turned further since then.
    bool is_echo(uint32_t k, double value) {
        const double position = to_position(kKnobs[k], allowed(kKnobs[k], value));
        bool is_found = false;
        for (uint32_t age = 0; age < kMostSent; ++age) {
            Sent &sent = sent_[k][(newest_[k] - age) % kMostSent];
            // Hosts hold positions as 32-bit numbers.
            is_found |= sent.until > hop_.position() && std::fabs(to_position(kKnobs[k], sent.value) - position) < 1e-6;
            // It comes once, and those before it no more.
            if (is_found) sent.until = 0;
        }
        // A host that turns the knob itself has come to all that it was given.
        if (!is_found) std::fill(std::begin(sent_[k]), std::end(sent_[k]), Sent{});
        return is_found;
    }

    static bool may_start() {
        const char *word = std::getenv("HIGHBAND_ENGINE");
        return !word || std::strcmp(word, "off") != 0;
    }

    uint32_t chain_latency() { return rate_ && hop_.region() ? hop_.chain_latency() : expected_latency(); }

    // Before an engine says it: what the session says, else what was installed.
    uint32_t expected_latency() const {
        const uint32_t rate = rate_ ? rate_ : 48000;
        if (has_state_) {
            const double samples = static_cast<double>(kept_.chain_latency) * rate / std::max(1u, kept_.rate);
            return std::min(static_cast<uint32_t>(samples + 0.5), kMostChainLatency);
        }
        for (const auto &[known, samples] : kChainLatencies)
            if (known == rate) return samples;
        return 0;
    }

    void describe(Constants &wish, uint32_t channels) const {
        wish.channels = channels;
        wish.rate = rate_;
        wish.knobs = kKnobCount;
        wish.table = kTable;
        stage_.copy(wish.stage, sizeof wish.stage - 1);
        path_.copy(wish.path, sizeof wish.path - 1);
        std::strncpy(wish.name, kName, sizeof wish.name - 1);
    }

    void read_document() {
        if (Region *region = hop_.region(); region && kept_.newer.empty())
            region->document.read(kept_.text, seen_document_);
    }

    void keep() {
        std::unique_lock<std::mutex> guard(life_);
        int64_t next_try = 0;
        while (!over_.wait_for(guard, kLookEvery, [this] { return is_over_; })) {
            Region *region = hop_.region();
            if (!region) continue;
            region->plugin.panel.store(is_panel_wanted_);
            const bool is_wanted = region->counters.calls.load() > 0 && may_start() && !hop_.is_engine_alive();
            if (is_wanted && now_ns() >= next_try && region->engine.state.load() != kRefused) {
                next_try = now_ns() + kTryAgainNs;
                // The host's main thread is not to wait for a process that begins.
                guard.unlock();
                std::string fault;
                const std::string folder = runtime_folder(fault);
                const bool may_come = !folder.empty() && (is_server_running(folder) ||
                                                          start_process(kCommand, folder + "/start.lock"));
                guard.lock();
                fault_ = may_come || !fault.empty() ? fault : "the engine can't be started: run highband plugin doctor";
                hop_.set_may_start(may_come);
            }
            const uint32_t latency = buffer_.load() + chain_latency();
            if (latency == reported_latency_ || latency == wished_latency_) continue;
            wished_latency_ = latency;
            guard.unlock();
            wish();
            guard.lock();
        }
    }

    Hop hop_;
    Clock clock_;
    std::string stage_ = kStage, path_ = kPath;
    State kept_;
    std::atomic<double> values_[kMostKnobs];
    std::atomic<bool> resend_{true}, is_panel_wanted_{false}, is_bouncing_{false};
    std::atomic<uint64_t> touched_{0};  // The knobs that are held on the engine's side, a bit each.
    uint64_t rests_at_[kMostKnobs] = {};
    Sent sent_[kMostKnobs][kMostSent] = {};
    uint32_t newest_[kMostKnobs] = {};
    std::atomic<uint32_t> buffer_{256}, reported_latency_{0};
    uint32_t wished_latency_ = ~0u;
    bool has_state_ = false, is_over_ = false, is_clock_of_output_ = false;
    uint32_t rate_ = 0, seen_document_ = 0, seen_turns_ = 0, seen_sequences_[kMostKnobs] = {};
    std::string fault_, track_;
    std::mutex life_;
    std::condition_variable over_;
    std::thread keeper_;
};

}  // namespace highband

// What the engine's Python side calls in the same library, by ctypes.
#include "engine.hpp"

#include "knobs.hpp"
#include "stage.hpp"

namespace {

using namespace highband;

void copy(char *out, size_t room, const std::string &text) {
    const size_t count = std::min(room - 1, text.size());
    std::memcpy(out, text.data(), count);
    out[count] = 0;
}

EngineEnd *end(void *handle) { return static_cast<EngineEnd *>(handle); }

}  // namespace

// The layout that Python knows too.
struct HighbandStatus {
    uint64_t calls, late, dry, longest_wait_ns, incomplete, resyncs;
    int64_t heartbeat_age_ns;
    uint32_t rate, channels, plugin_pid, engine_pid, engine_state, policy, buffer, chain_latency, offline, playing;
    uint32_t closed, is_same_table, is_panel_wanted, panel_port;
    char stage[256], path[1024], name[64], track[256];
};

// The few words that the engine looks at again and again; Python knows this layout too.
struct HighbandNews {
    uint64_t late;
    uint32_t closed, is_panel_wanted, panel_port, track;
};

HIGHBAND_EXPORT bool highband_folder(char *path, size_t room, char *error, size_t error_room) {
    std::string why;
    const std::string found = runtime_folder(why);
    copy(path, room, found);
    copy(error, error_room, why);
    return !found.empty();
}

HIGHBAND_EXPORT void *highband_open(const char *path, char *error, size_t room) {
    EngineEnd *made = new EngineEnd;
    std::string why;
    if (made->open(path, why)) return made;
    copy(error, room, why);
    delete made;
    return nullptr;
}

HIGHBAND_EXPORT void highband_close(void *handle) { delete end(handle); }

HIGHBAND_EXPORT void highband_status(void *handle, HighbandStatus *status) {
    const Region &region = *end(handle)->region();
    const Counters &counters = region.counters;
    *status = {counters.calls, counters.late, counters.dry, counters.longest_wait_ns, counters.incomplete,
               counters.resyncs, now_ns() - region.engine.heartbeat_ns.load(), region.constants.rate,
               region.constants.channels, region.constants.pid, region.engine.pid, region.engine.state,
               counters.state, region.plugin.buffer, region.engine.chain_latency, region.plugin.offline,
               region.plugin.playing, region.plugin.closed,
               region.constants.table == kTable && region.constants.knobs == kKnobCount, region.plugin.panel,
               region.engine.panel_port, "", "", "", ""};
    std::string track;
    uint32_t any = 0;
    if (region.track.read(track, any)) copy(status->track, sizeof status->track, track);
    copy(status->stage, sizeof status->stage, std::string(region.constants.stage, strnlen(region.constants.stage, 255)));
    copy(status->path, sizeof status->path, std::string(region.constants.path, strnlen(region.constants.path, 1023)));
    copy(status->name, sizeof status->name, std::string(region.constants.name, strnlen(region.constants.name, 63)));
}

HIGHBAND_EXPORT void highband_attach(void *handle, uint32_t chain_latency) { end(handle)->attach(chain_latency); }
HIGHBAND_EXPORT int64_t highband_timeline(void *handle) { return end(handle)->timeline(); }
HIGHBAND_EXPORT void highband_set_state(void *handle, uint32_t state) { end(handle)->set_state(state); }
HIGHBAND_EXPORT void highband_set_panel(void *handle, uint32_t port) { end(handle)->region()->engine.panel_port = port; }
HIGHBAND_EXPORT void highband_turn(void *handle, uint32_t knob, double value) { end(handle)->turn(knob, value); }

// Give a sign of life, say what the chain's latency is, and return what the plug-in says.
HIGHBAND_EXPORT void highband_poll(void *handle, uint32_t chain_latency, HighbandNews *news) {
    end(handle)->beat();
    end(handle)->set_latency(chain_latency);
    const Region &region = *end(handle)->region();
    *news = {region.counters.late, region.plugin.closed, region.plugin.panel, region.engine.panel_port,
             region.track.sequence};
}

HIGHBAND_EXPORT bool highband_take(void *handle, float *block, uint32_t stride, uint32_t room, int64_t ns, Taken *taken,
                                   Event *events, uint32_t most) {
    return end(handle)->take(block, stride, room, ns, *taken, events, most);
}

HIGHBAND_EXPORT void highband_give(void *handle, const float *block, uint32_t stride, uint32_t count) {
    end(handle)->give(block, stride, count);
}

HIGHBAND_EXPORT uint32_t highband_knobs(void *handle, double *values, uint32_t room) {
    const uint32_t count = std::min(room, kKnobCount);
    for (uint32_t k = 0; k < count; ++k)
        values[k] = allowed(kKnobs[k], end(handle)->region()->host_knobs[k].value.load());
    return count;
}

// Copy what the session says into the buffer; its length, or -1 if nothing is new since `seen`.
HIGHBAND_EXPORT int64_t highband_session(void *handle, char *buffer, size_t room, uint32_t *seen) {
    std::string text;
    if (!end(handle)->region()->session.read(text, *seen)) return -1;
    const size_t count = std::min(room, text.size());
    std::memcpy(buffer, text.data(), count);
    return static_cast<int64_t>(count);
}

HIGHBAND_EXPORT void highband_write_document(void *handle, const char *text, size_t count) {
    end(handle)->region()->document.write(text, count);
}

HIGHBAND_EXPORT void highband_write_reason(void *handle, const char *text, size_t count) {
    end(handle)->region()->reason.write(text, count);
}

// How hosts see a knob.
HIGHBAND_EXPORT double highband_to_value(uint32_t k, double position) { return to_value(kKnobs[k % kKnobCount], position); }
HIGHBAND_EXPORT double highband_to_position(uint32_t k, double value) { return to_position(kKnobs[k % kKnobCount], value); }
HIGHBAND_EXPORT void highband_to_text(uint32_t k, double value, char *text, size_t room) {
    copy(text, room, to_text(kKnobs[k % kKnobCount], value));
}
HIGHBAND_EXPORT bool highband_from_text(uint32_t k, const char *text, double *value) {
    return from_text(kKnobs[k % kKnobCount], text, *value);
}

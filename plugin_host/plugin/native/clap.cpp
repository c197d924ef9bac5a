// The CLAP format. Works in a host without any extension.
#include "plugin.hpp"

#include "clap/entry.h"
#include "clap/ext/audio-ports.h"
#include "clap/ext/latency.h"
#include "clap/ext/params.h"
#include "clap/ext/state.h"
#include "clap/plugin-factory.h"

namespace highband::clap_format {
namespace {

// The published extension for offline rendering; these headers are older than it.
constexpr char kRenderExtension[] = "clap.render";
constexpr int32_t kRenderOffline = 1;
struct RenderExtension {
    bool(CLAP_ABI *has_hard_realtime_requirement)(const clap_plugin_t *plugin);
    bool(CLAP_ABI *set)(const clap_plugin_t *plugin, int32_t mode);
};

// The published extension for what the host says of the track; these headers are older than it, too.
constexpr char kTrackExtension[] = "clap.track-info/1", kTrackExtensionDraft[] = "clap.track-info.draft/1";
constexpr uint64_t kHasTrackName = 1;
struct TrackInfo {
    uint64_t flags;
    char name[CLAP_NAME_SIZE];
    uint8_t colour[4];
    int32_t channel_count;
    const char *port_type;
};
struct HostTrackInfo {
    bool(CLAP_ABI *get)(const clap_host_t *host, TrackInfo *info);
};
struct TrackExtension {
    void(CLAP_ABI *changed)(const clap_plugin_t *plugin);
};

constexpr int64_t kSecond = static_cast<int64_t>(1) << 31;

void copy(char *out, size_t room, const std::string &text) {
    if (!room) return;
    const size_t count = std::min(room - 1, text.size());
    std::memcpy(out, text.data(), count);
    out[count] = 0;
}

class Clap {
  public:
    explicit Clap(const clap_host_t *host) : host_(host) {
        plugin_.on_wish = [this] {
            if (host_->request_callback) host_->request_callback(host_);
        };
    }

    static Clap &of(const clap_plugin_t *plugin) { return *static_cast<Clap *>(plugin->plugin_data); }

    template <class T> const T *host_extension(const char *id) const {
        return host_->get_extension ? static_cast<const T *>(host_->get_extension(host_, id)) : nullptr;
    }

    void ask_for_track() {
        const auto *host = host_extension<HostTrackInfo>(kTrackExtension);
        if (!host) host = host_extension<HostTrackInfo>(kTrackExtensionDraft);
        TrackInfo info{};
        if (!host || !host->get || !host->get(host_, &info) || !(info.flags & kHasTrackName)) return;
        plugin_.set_track(std::string(info.name, strnlen(info.name, sizeof info.name)));
    }

    bool activate(double rate) {
        if (!(rate >= 1000.0)) return false;
        rate_ = rate;
        plugin_.activate(rate, channels_);
        is_active_ = true;
        const bool is_new = plugin_.has_news();
        plugin_.latency();
        // Only here may the latency change in this format.
        const auto *latency = host_extension<clap_host_latency_t>(CLAP_EXT_LATENCY);
        if (is_new && latency) latency->changed(host_);
        return true;
    }

    void on_main_thread() {
        if (!plugin_.has_news()) return;
        if (is_active_) {
            if (host_->request_restart) host_->request_restart(host_);
        } else if (const auto *latency = host_extension<clap_host_latency_t>(CLAP_EXT_LATENCY)) {
            plugin_.latency();
            latency->changed(host_);
        }
    }

    clap_process_status process(const clap_process_t *data) {
        Clock clock;
        clock.is_offline = is_offline_;
        if (const clap_event_transport_t *transport = data->transport) {
            clock.is_playing = transport->flags & CLAP_TRANSPORT_IS_PLAYING;
            clock.has_sample = transport->flags & CLAP_TRANSPORT_HAS_SECONDS_TIMELINE;
            const double seconds = static_cast<double>(transport->song_pos_seconds) / kSecond;
            clock.sample = static_cast<int64_t>(std::floor(seconds * rate_ + 0.5));
            clock.tempo = transport->flags & CLAP_TRANSPORT_HAS_TEMPO ? transport->tempo : 0.0;
        }
        if (!data->frames_count) return CLAP_PROCESS_CONTINUE;
        plugin_.begin(clock);
        read_events(data->in_events, data->frames_count);
        run(data);
        write_events(data->out_events, true);
        return CLAP_PROCESS_CONTINUE;
    }

    // While no audio is processed, or between two blocks.
    void flush(const clap_input_events_t *in, const clap_output_events_t *out) {
        read_events(in, 0);
        write_events(out, false);
    }

    void set_offline(bool is_offline) { is_offline_ = is_offline; }
    void deactivate() { is_active_ = false; }
    Plugin &plugin() { return plugin_; }

  private:
    // With `frames` at 0 the values hold from the next block on.
    void read_events(const clap_input_events_t *events, uint32_t frames) {
        const uint32_t count = events ? events->size(events) : 0;
        for (uint32_t i = 0; i < count; ++i) {
            const clap_event_header_t *header = events->get(events, i);
            if (!header || header->space_id != CLAP_CORE_EVENT_SPACE_ID || header->type != CLAP_EVENT_PARAM_VALUE)
                continue;
            const auto *event = reinterpret_cast<const clap_event_param_value_t *>(header);
            uint32_t index = 0;
            const Knob *knob = Plugin::knob(event->param_id, index);
            if (event->param_id == kBufferId)
                plugin_.set_buffer(kBuffers[static_cast<uint32_t>(clamped(event->value, 0.0, kBufferChoices - 1) + 0.5)]);
            if (event->param_id == kPanelId) plugin_.set_panel(event->value >= 0.5);
            if (!knob) continue;
            const double value = to_value(*knob, event->value);
            if (frames) plugin_.turn(std::min(header->time, frames - 1), index, value);
            else plugin_.set_value(index, value);
        }
    }

    void run(const clap_process_t *data) {
        const clap_audio_buffer_t *in = data->audio_inputs_count ? data->audio_inputs : nullptr;
        clap_audio_buffer_t *out = data->audio_outputs_count ? data->audio_outputs : nullptr;
        const bool fits = in && out && in->channel_count >= channels_ && out->channel_count >= channels_ && in->data32 &&
                          out->data32;
        if (fits) {
            plugin_.run(in->data32, out->data32, data->frames_count);
            out->constant_mask = 0;
        } else if (out && out->data32) {
            for (uint32_t c = 0; c < out->channel_count; ++c)
                std::memset(out->data32[c], 0, data->frames_count * sizeof(float));
        }
    }

    void write_events(const clap_output_events_t *events, bool is_playing) {
        if (!events || !events->try_push) return;
        const auto write = [events](Move move, uint32_t k, double value) {
            const clap_id id = kKnobs[k].id;
            if (move == Move::kValue) write_value(events, id, to_position(kKnobs[k], value));
            else gesture(events, move == Move::kBegin ? CLAP_EVENT_PARAM_GESTURE_BEGIN : CLAP_EVENT_PARAM_GESTURE_END, id);
        };
        plugin_.turned(write, is_playing);
        const uint32_t state = plugin_.engine_state();
        if (state != shown_state_) write_value(events, kEngineId, state);
        shown_state_ = state;
    }

    static void gesture(const clap_output_events_t *events, uint16_t type, clap_id id) {
        const clap_event_param_gesture_t event = {
            {sizeof event, 0, CLAP_CORE_EVENT_SPACE_ID, type, CLAP_EVENT_IS_LIVE}, id};
        events->try_push(events, &event.header);
    }

    static void write_value(const clap_output_events_t *events, clap_id id, double value) {
        const clap_event_param_value_t event = {
            {sizeof event, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, CLAP_EVENT_IS_LIVE},
            id, nullptr, -1, -1, -1, -1, value};
        events->try_push(events, &event.header);
    }

    const clap_host_t *host_;
    Plugin plugin_;
    double rate_ = 48000.0;
    uint32_t channels_ = 2, shown_state_ = ~0u;
    std::atomic<bool> is_offline_{false};
    bool is_active_ = false;

  public:
    uint32_t channels() const { return channels_; }
    clap_plugin_t calls;
};

// Ports.

bool get_port(const clap_plugin_t *plugin, uint32_t index, bool is_input, clap_audio_port_info_t *info) {
    if (index != 0) return false;
    std::memset(info, 0, sizeof *info);
    info->id = is_input ? 0 : 1;
    copy(info->name, sizeof info->name, is_input ? "Input" : "Output");
    info->flags = CLAP_AUDIO_PORT_IS_MAIN;
    info->channel_count = Clap::of(plugin).channels();
    info->port_type = info->channel_count == 1 ? CLAP_PORT_MONO : CLAP_PORT_STEREO;
    info->in_place_pair = is_input ? 1 : 0;
    return true;
}

constexpr clap_plugin_audio_ports_t kPorts = {[](const clap_plugin_t *, bool) -> uint32_t { return 1; }, get_port};

// Parameters: positions 0..1, so that hosts draw a knob's own curve; lists count from 0.

bool parameter_info(const clap_plugin_t *, uint32_t index, clap_param_info_t *info) {
    std::memset(info, 0, sizeof *info);
    info->max_value = 1.0;
    if (index < kKnobCount) {
        const Knob &knob = kKnobs[index];
        info->id = knob.id;
        copy(info->name, sizeof info->name, knob.name);
        info->flags = CLAP_PARAM_IS_AUTOMATABLE;
        if (knob.curve == Curve::kSwitch) info->flags |= CLAP_PARAM_IS_STEPPED;
        if (index == static_cast<uint32_t>(kBypass)) info->flags |= CLAP_PARAM_IS_BYPASS;
        info->default_value = to_position(knob, knob.initial);
    } else if (index == kKnobCount) {
        info->id = kBufferId;
        copy(info->name, sizeof info->name, "Buffer");
        info->flags = CLAP_PARAM_IS_STEPPED;
        info->max_value = kBufferChoices - 1;
        info->default_value = buffer_choice(256);
    } else if (index == kKnobCount + 1) {
        info->id = kEngineId;
        copy(info->name, sizeof info->name, "Engine");
        info->flags = CLAP_PARAM_IS_STEPPED | CLAP_PARAM_IS_READONLY;
        info->max_value = kEngineStates - 1;
    } else if (index == kKnobCount + 2) {
        info->id = kPanelId;
        copy(info->name, sizeof info->name, "Panel");
        info->flags = CLAP_PARAM_IS_STEPPED;
    } else {
        return false;
    }
    return true;
}

bool get_value(const clap_plugin_t *plugin, clap_id id, double *value) {
    Plugin &own = Clap::of(plugin).plugin();
    uint32_t index = 0;
    if (const Knob *knob = Plugin::knob(id, index)) *value = to_position(*knob, own.value(index));
    else if (id == kBufferId) *value = buffer_choice(own.buffer());
    else if (id == kEngineId) *value = own.engine_state();
    else if (id == kPanelId) *value = own.is_panel_wanted();
    else return false;
    return true;
}

bool value_to_text(const clap_plugin_t *plugin, clap_id id, double value, char *text, uint32_t size) {
    uint32_t index = 0;
    const uint32_t choice = static_cast<uint32_t>(clamped(value, 0.0, 100.0) + 0.5);
    if (const Knob *knob = Plugin::knob(id, index)) copy(text, size, to_text(*knob, to_value(*knob, value)));
    else if (id == kBufferId) copy(text, size, std::to_string(kBuffers[std::min(choice, kBufferChoices - 1)]) + " samples");
    else if (id == kEngineId) copy(text, size, Clap::of(plugin).plugin().engine_text(choice));
    else if (id == kPanelId) copy(text, size, choice ? "on" : "off");
    else return false;
    return true;
}

bool text_to_value(const clap_plugin_t *, clap_id id, const char *text, double *value) {
    uint32_t index = 0;
    if (const Knob *knob = Plugin::knob(id, index)) {
        double found = 0.0;
        if (!from_text(*knob, text, found)) return false;
        *value = to_position(*knob, found);
        return true;
    }
    if (id == kPanelId) return *value = std::strcmp(text, "on") == 0, true;
    if (id != kBufferId) return false;
    *value = buffer_choice(static_cast<uint32_t>(std::max(0, std::atoi(text))));
    return true;
}

constexpr clap_plugin_params_t kParameters = {
    [](const clap_plugin_t *) -> uint32_t { return kKnobCount + kOwnParameters; }, parameter_info, get_value, value_to_text,
    text_to_value,
    [](const clap_plugin_t *plugin, const clap_input_events_t *in, const clap_output_events_t *out) {
        Clap::of(plugin).flush(in, out);
    }};

// State, latency, offline rendering.

bool save(const clap_plugin_t *plugin, const clap_ostream_t *stream) {
    const std::string bytes = Clap::of(plugin).plugin().save();
    for (size_t done = 0; done < bytes.size();) {
        const int64_t count = stream->write(stream, bytes.data() + done, bytes.size() - done);
        if (count <= 0) return false;
        done += static_cast<size_t>(count);
    }
    return true;
}

bool load(const clap_plugin_t *plugin, const clap_istream_t *stream) {
    std::string bytes;
    char part[4096];
    for (int64_t count = 1; count > 0 && bytes.size() <= sizeof(Text);) {
        count = stream->read(stream, part, sizeof part);
        if (count < 0) return false;
        bytes.append(part, static_cast<size_t>(std::min<int64_t>(count, sizeof part)));
    }
    return Clap::of(plugin).plugin().load(bytes);
}

constexpr clap_plugin_state_t kStateExtension = {save, load};
constexpr clap_plugin_latency_t kLatency = {
    [](const clap_plugin_t *plugin) -> uint32_t { return Clap::of(plugin).plugin().latency(); }};
constexpr RenderExtension kRender = {[](const clap_plugin_t *) { return false; },
                                     [](const clap_plugin_t *plugin, int32_t mode) {
                                         Clap::of(plugin).set_offline(mode == kRenderOffline);
                                         return true;
                                     }};

constexpr TrackExtension kTrack = {[](const clap_plugin_t *plugin) { Clap::of(plugin).ask_for_track(); }};

const void *get_extension(const clap_plugin_t *, const char *id) {
    const struct {
        const char *id;
        const void *calls;
    } known[] = {{CLAP_EXT_AUDIO_PORTS, &kPorts},     {CLAP_EXT_PARAMS, &kParameters}, {CLAP_EXT_LATENCY, &kLatency},
                 {CLAP_EXT_STATE, &kStateExtension}, {kRenderExtension, &kRender},
                 {kTrackExtension, &kTrack},          {kTrackExtensionDraft, &kTrack}};
    for (const auto &extension : known)
        if (std::strcmp(id, extension.id) == 0) return extension.calls;
    return nullptr;
}

const char *kFeatures[] = {"audio-effect", "restoration", "stereo", "mono", nullptr};
const clap_plugin_descriptor_t kDescriptor = {CLAP_VERSION, kClapId, kName, kVendor, "", "", "", kVersion,
                                              kDescription, kFeatures};

const clap_plugin_t *create(const clap_plugin_factory_t *, const clap_host_t *host, const char *id) {
    if (!host || !id || std::strcmp(id, kClapId) != 0) return nullptr;
    Clap *made = new Clap(host);
    made->calls = {
        &kDescriptor, made, [](const clap_plugin_t *plugin) { return Clap::of(plugin).ask_for_track(), true; },
        [](const clap_plugin_t *plugin) { delete &Clap::of(plugin); },
        [](const clap_plugin_t *plugin, double rate, uint32_t, uint32_t) { return Clap::of(plugin).activate(rate); },
        [](const clap_plugin_t *plugin) { Clap::of(plugin).deactivate(); },
        [](const clap_plugin_t *) { return true; },
        [](const clap_plugin_t *) {},
        [](const clap_plugin_t *plugin) { Clap::of(plugin).plugin().restart(); },
        [](const clap_plugin_t *plugin, const clap_process_t *data) { return Clap::of(plugin).process(data); },
        get_extension, [](const clap_plugin_t *plugin) { Clap::of(plugin).on_main_thread(); }};
    return &made->calls;
}

const clap_plugin_factory_t kClapFactory = {
    [](const clap_plugin_factory_t *) -> uint32_t { return 1; },
    [](const clap_plugin_factory_t *, uint32_t index) { return index == 0 ? &kDescriptor : nullptr; }, create};

}  // namespace
}  // namespace highband::clap_format

extern "C" __attribute__((visibility("default"))) const clap_plugin_entry_t clap_entry = {
    CLAP_VERSION, [](const char *) { return true; }, [] {},
    [](const char *id) -> const void * {
        return std::strcmp(id, CLAP_PLUGIN_FACTORY_ID) == 0 ? &highband::clap_format::kClapFactory : nullptr;
    }};

// The VST3 format: one object that is component, processor and controller.
#include <algorithm>
#include <array>
#include <cstddef>

#include "plugin.hpp"
#include "travesty/audio_processor.h"
#include "travesty/component.h"
#include "travesty/edit_controller.h"
#include "travesty/factory.h"
#include "travesty/host.h"
#include "travesty/message.h"

namespace highband::vst3_format {
namespace {

constexpr uint32_t kMostPoints = 2048, kNotifyMs = 10;

// The published interface by which a host says which of its channels the plug-in is on; these headers lack it.
constexpr v3_tuid kInfoListenerId = V3_ID(0x0F194781, 0x8D984ADA, 0xBBA0C1EF, 0xC011D8D0);
struct InfoListener : v3_funknown {
    v3_result(V3_API *set_channel)(void *self, v3_attribute_list **list);
};

struct Point {
    int32_t offset;
    uint32_t order, knob;
    double value;
};

void to_utf16(int16_t *out, size_t room, const std::string &text) {
    // All our names and texts are plain ASCII, but for reasons that quote a path.
    size_t i = 0;
    for (; i + 1 < room && i < text.size(); ++i) out[i] = static_cast<unsigned char>(text[i]) < 128 ? text[i] : '?';
    out[i] = 0;
}

std::string from_utf16(const int16_t *text, int room) {
    std::string word;
    for (int i = 0; i < room && text[i]; ++i) {
        uint32_t point = static_cast<uint16_t>(text[i]);
        if (point >> 10 == 0x36 && i + 1 < room && static_cast<uint16_t>(text[i + 1]) >> 10 == 0x37)
            point = 0x10000 + ((point & 0x3ff) << 10) + (static_cast<uint16_t>(text[++i]) & 0x3ff);
        const int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
        constexpr uint32_t kFirst[] = {0, 0xc0, 0xe0, 0xf0};
        word += static_cast<char>(kFirst[more] | point >> 6 * more);
        for (int left = more; left--;) word += static_cast<char>(0x80 | (point >> 6 * left & 0x3f));
    }
    return word;
}

template <class T> v3_funknown *unknown(T **object) { return static_cast<v3_funknown *>(static_cast<void *>(*object)); }

// An interface's own calls lie behind those that every object has.
template <class T> T *calls(T **object) { return reinterpret_cast<T *>(unknown(object) + 1); }

class Vst3 {
  public:
    static Vst3 *create() { return new Vst3; }

    v3_result query(const v3_tuid iid, void **object) {
        *object = nullptr;
        if (v3_tuid_match(iid, v3_funknown_iid) || v3_tuid_match(iid, v3_plugin_base_iid) ||
            v3_tuid_match(iid, v3_component_iid))
            *object = &component_;
        else if (v3_tuid_match(iid, v3_audio_processor_iid))
            *object = &processor_;
        else if (v3_tuid_match(iid, v3_edit_controller_iid))
            *object = &controller_;
        else if (v3_tuid_match(iid, v3_process_context_requirements_iid))
            *object = &requirements_;
        else if (v3_tuid_match(iid, v3_timer_handler_iid))
            *object = &timer_;
        else if (v3_tuid_match(iid, kInfoListenerId))
            *object = &listener_;
        if (!*object) return V3_NO_INTERFACE;
        ++references_;
        return V3_OK;
    }

    uint32_t ref() { return ++references_; }

    uint32_t unref() {
        const uint32_t left = --references_;
        if (left == 0) delete this;
        return left;
    }

    // Hosts give the same component to both sides, so it is begun and ended twice.
    v3_result initialize(v3_funknown **context) {
        v3_host_application **host = nullptr;
        v3_str_128 name = {};
        if (!context || unknown(context)->query_interface(context, v3_host_application_iid, (void **)&host) != V3_OK || !host)
            return V3_OK;
        start_timer(context);
        if (calls<v3_host_application>(host)->get_name(host, name) == V3_OK) {
            plugin_.set_host(from_utf16(name, 127));
            is_ardour_ = from_utf16(name, 127) == "Ardour";
        }
        unknown(host)->unref(host);
        return V3_OK;
    }

    v3_result terminate() {
        stop_timer();
        set_handler(nullptr);
        return V3_OK;
    }

    v3_result bus_info(int32_t type, int32_t direction, int32_t index, v3_bus_info *info) {
        if (type != V3_AUDIO || index != 0) return V3_INVALID_ARG;
        std::memset(info, 0, sizeof *info);
        info->media_type = V3_AUDIO;
        info->direction = direction;
        info->channel_count = static_cast<int32_t>(channels_);
        to_utf16(info->bus_name, 128, direction == V3_INPUT ? "Input" : "Output");
        info->bus_type = V3_MAIN;
        info->flags = V3_DEFAULT_ACTIVE;
        return V3_OK;
    }

    v3_result set_active(bool is_active) {
        if (is_active) plugin_.activate(rate_, channels_);
        over_ = ~0ull;  // No gesture outlasts it.
        return V3_OK;
    }

    v3_result set_arrangements(v3_speaker_arrangement *in, int32_t ins, v3_speaker_arrangement *out, int32_t outs) {
        if (ins != 1 || outs != 1 || in[0] != out[0]) return V3_FALSE;
        if (in[0] == V3_SPEAKER_M) channels_ = 1;
        else if (in[0] == (V3_SPEAKER_L | V3_SPEAKER_R)) channels_ = 2;
        else return V3_FALSE;
        return V3_OK;
    }

    v3_speaker_arrangement arrangement() const {
        return channels_ == 1 ? V3_SPEAKER_M : V3_SPEAKER_L | V3_SPEAKER_R;
    }

    v3_result set_up(const v3_process_setup *setup) {
        if (setup->symbolic_sample_size != V3_SAMPLE_32 || !(setup->sample_rate >= 1000.0)) return V3_FALSE;
        rate_ = setup->sample_rate;
        return V3_OK;
    }

    v3_result process(v3_process_data *data) {
        Clock clock;
        clock.is_offline = data->process_mode == V3_OFFLINE;
        if (const v3_process_context *context = data->ctx) {
            clock.is_playing = context->state & V3_PROCESS_CTX_PLAYING;
            clock.has_sample = true;
            clock.sample = context->project_time_in_samples;
            clock.tempo = context->state & V3_PROCESS_CTX_TEMPO_VALID ? context->bpm : 0.0;
        }
        if (data->nframes <= 0) {
            read_points(data);
            for (uint32_t i = 0; i < points_; ++i) plugin_.set_value(point_[i].knob, point_[i].value);
            return V3_OK;
        }
        plugin_.begin(clock);
        read_points(data);
        for (uint32_t i = 0; i < points_; ++i)
            plugin_.turn(static_cast<uint32_t>(point_[i].offset), point_[i].knob, point_[i].value);
        run(data);
        write_points(data->output_params);
        if (records_in_process()) record_turned();
        return V3_OK;
    }

    v3_result set_state(v3_bstream **stream) {
        std::string bytes;
        char part[4096];
        int32_t count = 0;
        while (bytes.size() <= sizeof(Text) && read(stream, part, &count) == V3_OK && count > 0)
            bytes.append(part, static_cast<size_t>(std::min<int32_t>(count, sizeof part)));
        return plugin_.load(bytes) ? V3_OK : V3_FALSE;
    }

    v3_result get_state(v3_bstream **stream) {
        const std::string bytes = plugin_.save();
        int32_t written = 0;
        const int32_t size = static_cast<int32_t>(bytes.size());
        return calls<v3_bstream>(stream)->write(stream, const_cast<char *>(bytes.data()), size, &written);
    }

    v3_result parameter_info(int32_t index, v3_param_info *info) {
        std::memset(info, 0, sizeof *info);
        const auto name = [&](const char *title, const char *unit) {
            to_utf16(info->title, 128, title);
            to_utf16(info->short_title, 128, title);
            to_utf16(info->units, 128, unit);
        };
        if (index >= 0 && index < static_cast<int32_t>(kKnobCount)) {
            const Knob &knob = kKnobs[index];
            name(knob.name, knob.unit);
            info->param_id = knob.id;
            info->step_count = knob.curve == Curve::kSwitch ? 1 : 0;
            info->default_normalised_value = to_position(knob, knob.initial);
            info->flags = V3_PARAM_CAN_AUTOMATE | (index == kBypass ? V3_PARAM_IS_BYPASS : 0);
        } else if (index == static_cast<int32_t>(kKnobCount)) {
            name("Buffer", "samples");
            info->param_id = kBufferId;
            info->step_count = kBufferChoices - 1;
            info->default_normalised_value = buffer_choice(256) / (kBufferChoices - 1.0);
            // Ardour shows no parameter that can't be automated.
            info->flags = V3_PARAM_CAN_AUTOMATE | V3_PARAM_IS_LIST;
        } else if (index == static_cast<int32_t>(kKnobCount) + 1) {
            name("Engine", "");
            info->param_id = kEngineId;
            info->step_count = kEngineStates - 1;
            info->flags = V3_PARAM_READ_ONLY | V3_PARAM_IS_LIST;
        } else if (index == static_cast<int32_t>(kKnobCount) + 2) {
            name("Panel", "");
            info->param_id = kPanelId;
            info->step_count = 1;
            info->flags = V3_PARAM_CAN_AUTOMATE;
        } else {
            return V3_INVALID_ARG;
        }
        return V3_OK;
    }

    v3_result text_of(uint32_t id, double position, int16_t *out) {
        notify_host();
        uint32_t index = 0;
        if (const Knob *knob = Plugin::knob(id, index)) to_utf16(out, 128, to_text(*knob, to_value(*knob, position)));
        else if (id == kBufferId) to_utf16(out, 128, std::to_string(kBuffers[choice(position, kBufferChoices)]));
        else if (id == kEngineId) to_utf16(out, 128, plugin_.engine_text(choice(position, kEngineStates)));
        else if (id == kPanelId) to_utf16(out, 128, position >= 0.5 ? "on" : "off");
        else return V3_INVALID_ARG;
        return V3_OK;
    }

    v3_result position_of(uint32_t id, const int16_t *text, double *position) {
        const std::string word = from_utf16(text, 127);
        uint32_t index = 0;
        double value = 0.0;
        if (const Knob *knob = Plugin::knob(id, index)) {
            if (!from_text(*knob, word, value)) return V3_FALSE;
            *position = to_position(*knob, value);
            return V3_OK;
        }
        if (id == kPanelId) return *position = word == "on", V3_OK;
        if (id != kBufferId) return V3_FALSE;
        *position = buffer_choice(static_cast<uint32_t>(std::atoi(word.c_str()))) / (kBufferChoices - 1.0);
        return V3_OK;
    }

    double plain(uint32_t id, double position) const {
        uint32_t index = 0;
        if (const Knob *knob = Plugin::knob(id, index)) return to_value(*knob, position);
        return id == kBufferId ? kBuffers[choice(position, kBufferChoices)] : position;
    }

    double normalised(uint32_t id, double value) const {
        uint32_t index = 0;
        if (const Knob *knob = Plugin::knob(id, index)) return to_position(*knob, value);
        if (id != kBufferId) return value;
        return buffer_choice(static_cast<uint32_t>(clamped(value, 0.0, 2048.0))) / (kBufferChoices - 1.0);
    }

    double position(uint32_t id) {
        uint32_t index = 0;
        if (const Knob *knob = Plugin::knob(id, index)) return to_position(*knob, plugin_.value(index));
        if (id == kBufferId) return buffer_choice(plugin_.buffer()) / (kBufferChoices - 1.0);
        if (id == kPanelId) return plugin_.is_panel_wanted();
        return id == kEngineId ? plugin_.engine_state() / (kEngineStates - 1.0) : 0.0;
    }

    v3_result set_position(uint32_t id, double position) {
        uint32_t index = 0;
        if (const Knob *knob = Plugin::knob(id, index)) plugin_.show_value(index, to_value(*knob, position));
        else if (id == kBufferId) plugin_.set_buffer(kBuffers[choice(position, kBufferChoices)]);
        else if (id == kPanelId) plugin_.set_panel(position >= 0.5);
        else return id == kEngineId ? V3_OK : V3_INVALID_ARG;
        notify_host();
        return V3_OK;
    }

    v3_result set_handler(v3_component_handler **handler) {
        if (handler) unknown(handler)->ref(handler);
        if (handler_) unknown(handler_)->unref(handler_);
        handler_ = handler;
        start_timer(reinterpret_cast<v3_funknown **>(handler));
        return V3_OK;
    }

    v3_result set_channel(v3_attribute_list **list) {
        int16_t name[kMostTrack + 1] = {};
        const bool is_named = list && calls<v3_attribute_list>(list)->get_string(list, "channel name", name, sizeof name) == V3_OK;
        if (is_named) plugin_.set_track(from_utf16(name, kMostTrack));
        return V3_OK;
    }

    uint32_t latency() { return plugin_.latency(); }
    v3_result set_processing(bool is_on) {
        if (is_on) plugin_.restart();
        return V3_OK;
    }

    static const v3_component_cpp kComponent;
    static const v3_audio_processor_cpp kProcessor;
    static const v3_edit_controller_cpp kController;
    static const v3_process_context_requirements_cpp kRequirements;
    static const v3_timer_handler_cpp kTimer;
    static const InfoListener kListener;

    const v3_component_cpp *component_ = &kComponent;
    const v3_audio_processor_cpp *processor_ = &kProcessor;
    const v3_edit_controller_cpp *controller_ = &kController;
    const v3_process_context_requirements_cpp *requirements_ = &kRequirements;
    const v3_timer_handler_cpp *timer_ = &kTimer;
    const InfoListener *listener_ = &kListener;

    // On the main thread only: by the host's timer, and where it has none, when it happens to call.
    void notify_host() {
        if (!handler_ || is_notifying_) return;
        is_notifying_ = true;
        const v3_component_handler *host = calls<v3_component_handler>(handler_);
        if (plugin_.has_news()) {
            plugin_.latency();
            host->restart_component(handler_, V3_RESTART_LATENCY_CHANGED);
        }
        if (!records_in_process()) record_turned();
        is_notifying_ = false;
    }

  private:
    // Ardour before 8.7 lends no timer to a plug-in without a window, but takes gestures with a block, as of LV2.
    bool records_in_process() const { return is_ardour_ && !loop_ && handler_; }

    void record_turned() {
        const v3_component_handler *host = calls<v3_component_handler>(handler_);
        const uint64_t over = over_.exchange(0), turned = turned_.exchange(0);
        for (uint32_t k = 0; k < kKnobCount && (turned | over); ++k) {
            const uint64_t bit = 1ull << k;
            if (turned & bit) {
                if (!(held_ & bit)) host->begin_edit(handler_, kKnobs[k].id);
                held_ |= bit;
                host->perform_edit(handler_, kKnobs[k].id, to_position(kKnobs[k], plugin_.value(k)));
            }
            if (!(over & held_ & bit)) continue;
            held_ &= ~bit;
            host->end_edit(handler_, kKnobs[k].id);
        }
    }

    static uint32_t choice(double position, uint32_t count) {
        return static_cast<uint32_t>(clamped(position, 0.0, 1.0) * (count - 1) + 0.5);
    }

    static v3_result read(v3_bstream **stream, char *part, int32_t *count) {
        return calls<v3_bstream>(stream)->read(stream, part, 4096, count);
    }

    void start_timer(v3_funknown **context) {
        if (loop_ || !context) return;
        void *found = nullptr;
        if (unknown(context)->query_interface(context, v3_run_loop_iid, &found) != V3_OK || !found) return;
        loop_ = static_cast<v3_run_loop **>(found);
        calls<v3_run_loop>(loop_)->register_timer(loop_, timer(), kNotifyMs);
    }

    void stop_timer() {
        if (!loop_) return;
        calls<v3_run_loop>(loop_)->unregister_timer(loop_, timer());
        unknown(loop_)->unref(loop_);
        loop_ = nullptr;
    }

    v3_timer_handler **timer() { return static_cast<v3_timer_handler **>(static_cast<void *>(&timer_)); }

    void read_points(v3_process_data *data) {
        points_ = 0;
        if (!data->input_params) return;
        const auto *changes = calls<v3_param_changes>(data->input_params);
        const int32_t queues = changes->get_param_count(data->input_params);
        for (int32_t q = 0; q < queues; ++q)
            if (v3_param_value_queue **queue = changes->get_param_data(data->input_params, q)) read_queue(queue, data);
        std::sort(point_.begin(), point_.begin() + points_, [](const Point &a, const Point &b) {
            return a.offset != b.offset ? a.offset < b.offset : a.order < b.order;
        });
    }

    void read_queue(v3_param_value_queue **queue, const v3_process_data *data) {
        const auto *points = calls<v3_param_value_queue>(queue);
        uint32_t index = 0;
        const uint32_t id = points->get_param_id(queue);
        const Knob *knob = Plugin::knob(id, index);
        const int32_t count = points->get_point_count(queue);
        for (int32_t i = 0; i < count; ++i) {
            int32_t offset = 0;
            double position = 0.0;
            if (points->get_point(queue, i, &offset, &position) != V3_OK) continue;
            if (id == kBufferId) plugin_.set_buffer(kBuffers[choice(position, kBufferChoices)]);
            if (id == kPanelId) plugin_.set_panel(position >= 0.5);
            if (!knob) continue;
            // Where a host sends more than anybody can hear, the newest counts.
            if (points_ == kMostPoints) --points_;
            offset = std::max(0, std::min(offset, std::max(0, data->nframes - 1)));
            point_[points_] = {offset, points_, index, to_value(*knob, position)};
            ++points_;
        }
    }

    void run(v3_process_data *data) {
        v3_audio_bus_buffers *in = data->num_input_buses > 0 ? data->inputs : nullptr;
        v3_audio_bus_buffers *out = data->num_output_buses > 0 ? data->outputs : nullptr;
        const uint32_t count = static_cast<uint32_t>(data->nframes);
        const bool fits = in && out && in->num_channels >= static_cast<int32_t>(channels_) &&
                          out->num_channels >= static_cast<int32_t>(channels_) && in->channel_buffers_32 &&
                          out->channel_buffers_32;
        if (fits) {
            plugin_.run(in->channel_buffers_32, out->channel_buffers_32, count);
            out->channel_silence_bitset = 0;
        } else if (out && out->channel_buffers_32) {
            for (int32_t c = 0; c < out->num_channels; ++c)
                std::memset(out->channel_buffers_32[c], 0, count * sizeof(float));
        }
    }

    void write_points(v3_param_changes **changes) {
        plugin_.turned([&](Move move, uint32_t k, double value) {
            if (move == Move::kEnd) over_ |= 1ull << k;
            if (move != Move::kValue) return;
            turned_ |= 1ull << k;
            write_point(changes, kKnobs[k].id, to_position(kKnobs[k], value));
        });
        const uint32_t state = plugin_.engine_state();
        if (state != shown_state_) write_point(changes, kEngineId, state / (kEngineStates - 1.0));
        shown_state_ = state;
    }

    static void write_point(v3_param_changes **changes, v3_param_id id, double position) {
        int32_t index = 0;
        if (!changes) return;
        v3_param_value_queue **queue = calls<v3_param_changes>(changes)->add_param_data(changes, &id, &index);
        if (queue) calls<v3_param_value_queue>(queue)->add_point(queue, 0, position, &index);
    }

    std::atomic<uint32_t> references_{1};
    Plugin plugin_;
    double rate_ = 48000.0;
    uint32_t channels_ = 2, points_ = 0, shown_state_ = ~0u;
    bool is_notifying_ = false, is_ardour_ = false;
    // Of the knobs that are turned on the engine's side, a bit each: values and ends that the host has not recorded yet, and
    // gestures that it records.
    std::atomic<uint64_t> turned_{0}, over_{0};
    uint64_t held_ = 0;
    v3_run_loop **loop_ = nullptr;
    std::array<Point, kMostPoints> point_;
    v3_component_handler **handler_ = nullptr;
};

// The host holds the address of one of the object's tables; the object begins so many bytes before it.
template <size_t kOffset> Vst3 *self(void *at) {
    return reinterpret_cast<Vst3 *>(static_cast<char *>(at) - kOffset);
}

template <size_t kOffset> v3_funknown base() {
    return {[](void *at, const v3_tuid iid, void **object) { return self<kOffset>(at)->query(iid, object); },
            [](void *at) { return self<kOffset>(at)->ref(); }, [](void *at) { return self<kOffset>(at)->unref(); }};
}

template <size_t kOffset> v3_plugin_base begin_and_end() {
    return {[](void *at, v3_funknown **context) { return self<kOffset>(at)->initialize(context); },
            [](void *at) { return self<kOffset>(at)->terminate(); }};
}

constexpr size_t kC = 0, kP = sizeof(void *), kE = 2 * sizeof(void *), kR = 3 * sizeof(void *),
                 kT = 4 * sizeof(void *), kL = 5 * sizeof(void *);

v3_component_cpp component_table() {
    v3_component_cpp table;
    static_cast<v3_funknown &>(table) = base<kC>();
    table.base = begin_and_end<kC>();
    table.comp = {
        [](void *, v3_tuid) -> v3_result { return V3_NOT_IMPLEMENTED; },
        [](void *, int32_t) -> v3_result { return V3_OK; },
        [](void *, int32_t type, int32_t) -> int32_t { return type == V3_AUDIO ? 1 : 0; },
        [](void *at, int32_t type, int32_t direction, int32_t index, v3_bus_info *info) {
            return self<kC>(at)->bus_info(type, direction, index, info);
        },
        [](void *, v3_routing_info *, v3_routing_info *) -> v3_result { return V3_NOT_IMPLEMENTED; },
        [](void *, int32_t type, int32_t, int32_t index, v3_bool) -> v3_result {
            return type == V3_AUDIO && index == 0 ? V3_OK : V3_INVALID_ARG;
        },
        [](void *at, v3_bool state) { return self<kC>(at)->set_active(state); },
        [](void *at, v3_bstream **stream) { return self<kC>(at)->set_state(stream); },
        [](void *at, v3_bstream **stream) { return self<kC>(at)->get_state(stream); }};
    return table;
}

v3_audio_processor_cpp processor_table() {
    v3_audio_processor_cpp table;
    static_cast<v3_funknown &>(table) = base<kP>();
    table.proc = {
        [](void *at, v3_speaker_arrangement *in, int32_t ins, v3_speaker_arrangement *out, int32_t outs) {
            return self<kP>(at)->set_arrangements(in, ins, out, outs);
        },
        [](void *at, int32_t, int32_t index, v3_speaker_arrangement *found) -> v3_result {
            if (index != 0) return V3_INVALID_ARG;
            *found = self<kP>(at)->arrangement();
            return V3_OK;
        },
        [](void *, int32_t size) -> v3_result { return size == V3_SAMPLE_32 ? V3_OK : V3_NOT_IMPLEMENTED; },
        [](void *at) { return self<kP>(at)->latency(); },
        [](void *at, v3_process_setup *setup) { return self<kP>(at)->set_up(setup); },
        [](void *at, v3_bool state) { return self<kP>(at)->set_processing(state); },
        [](void *at, v3_process_data *data) { return self<kP>(at)->process(data); },
        [](void *) -> uint32_t { return 0; }};
    return table;
}

v3_edit_controller_cpp controller_table() {
    v3_edit_controller_cpp table;
    static_cast<v3_funknown &>(table) = base<kE>();
    table.base = begin_and_end<kE>();
    table.ctrl = {
        [](void *, v3_bstream **) -> v3_result { return V3_OK; },  // The component has it already.
        [](void *, v3_bstream **) -> v3_result { return V3_OK; },
        [](void *, v3_bstream **) -> v3_result { return V3_OK; },
        [](void *) { return static_cast<int32_t>(kKnobCount + kOwnParameters); },
        [](void *at, int32_t index, v3_param_info *info) { return self<kE>(at)->parameter_info(index, info); },
        [](void *at, v3_param_id id, double value, v3_str_128 text) { return self<kE>(at)->text_of(id, value, text); },
        [](void *at, v3_param_id id, int16_t *text, double *value) { return self<kE>(at)->position_of(id, text, value); },
        [](void *at, v3_param_id id, double value) { return self<kE>(at)->plain(id, value); },
        [](void *at, v3_param_id id, double value) { return self<kE>(at)->normalised(id, value); },
        [](void *at, v3_param_id id) { return self<kE>(at)->position(id); },
        [](void *at, v3_param_id id, double value) { return self<kE>(at)->set_position(id, value); },
        [](void *at, v3_component_handler **handler) { return self<kE>(at)->set_handler(handler); },
        [](void *, const char *) -> v3_plugin_view ** { return nullptr; }};
    return table;
}

v3_process_context_requirements_cpp requirements_table() {
    v3_process_context_requirements_cpp table;
    static_cast<v3_funknown &>(table) = base<kR>();
    table.req = {[](void *) -> uint32_t {
        return V3_PROCESS_CTX_NEED_PROJECT_TIME | V3_PROCESS_CTX_NEED_TRANSPORT_STATE | V3_PROCESS_CTX_NEED_TEMPO;
    }};
    return table;
}

v3_timer_handler_cpp timer_table() {
    v3_timer_handler_cpp table;
    static_cast<v3_funknown &>(table) = base<kT>();
    table.timer = {[](void *at) { self<kT>(at)->notify_host(); }};
    return table;
}

InfoListener listener_table() {
    InfoListener table;
    static_cast<v3_funknown &>(table) = base<kL>();
    table.set_channel = [](void *at, v3_attribute_list **list) { return self<kL>(at)->set_channel(list); };
    return table;
}

const v3_timer_handler_cpp Vst3::kTimer = timer_table();
const InfoListener Vst3::kListener = listener_table();
const v3_component_cpp Vst3::kComponent = component_table();
const v3_audio_processor_cpp Vst3::kProcessor = processor_table();
const v3_edit_controller_cpp Vst3::kController = controller_table();
const v3_process_context_requirements_cpp Vst3::kRequirements = requirements_table();

void copy(char *out, size_t room, const char *text) {
    std::memset(out, 0, room);
    std::strncpy(out, text, room - 1);
}

// There is one factory and it stays.
struct Factory {
    const v3_plugin_factory_cpp *table;
};

v3_plugin_factory_cpp factory_table();
const v3_plugin_factory_cpp kFactory = factory_table();
Factory factory = {&kFactory};

v3_plugin_factory_cpp factory_table() {
    v3_plugin_factory_cpp table;
    static_cast<v3_funknown &>(table) = {
        [](void *, const v3_tuid iid, void **object) -> v3_result {
            const bool is_known = v3_tuid_match(iid, v3_funknown_iid) || v3_tuid_match(iid, v3_plugin_factory_iid) ||
                                  v3_tuid_match(iid, v3_plugin_factory_2_iid);
            *object = is_known ? &factory : nullptr;
            return is_known ? V3_OK : V3_NO_INTERFACE;
        },
        [](void *) -> uint32_t { return 1; }, [](void *) -> uint32_t { return 1; }};
    table.v1 = {
        [](void *, v3_factory_info *info) -> v3_result {
            std::memset(info, 0, sizeof *info);
            copy(info->vendor, sizeof info->vendor, kVendor);
            info->flags = 0x10;
            return V3_OK;
        },
        [](void *) -> int32_t { return 1; },
        [](void *, int32_t index, v3_class_info *info) -> v3_result {
            if (index != 0) return V3_INVALID_ARG;
            std::memset(info, 0, sizeof *info);
            std::memcpy(info->class_id, kClassId, sizeof(v3_tuid));
            info->cardinality = 0x7fffffff;
            copy(info->category, sizeof info->category, "Audio Module Class");
            copy(info->name, sizeof info->name, kName);
            return V3_OK;
        },
        [](void *, const v3_tuid id, const v3_tuid iid, void **object) -> v3_result {
            *object = nullptr;
            if (std::memcmp(id, kClassId, sizeof(v3_tuid)) != 0) return V3_NO_INTERFACE;
            Vst3 *made = Vst3::create();
            const v3_result result = made->query(iid, object);
            made->unref();
            return result;
        }};
    table.v2 = {[](void *, int32_t index, v3_class_info_2 *info) -> v3_result {
        if (index != 0) return V3_INVALID_ARG;
        std::memset(info, 0, sizeof *info);
        std::memcpy(info->class_id, kClassId, sizeof(v3_tuid));
        info->cardinality = 0x7fffffff;
        copy(info->category, sizeof info->category, "Audio Module Class");
        copy(info->name, sizeof info->name, kName);
        copy(info->sub_categories, sizeof info->sub_categories, "Fx|Restoration");
        copy(info->vendor, sizeof info->vendor, kVendor);
        copy(info->version, sizeof info->version, kVersion);
        copy(info->sdk_version, sizeof info->sdk_version, "VST 3.7");
        return V3_OK;
    }};
    return table;
}

}  // namespace
}  // namespace highband::vst3_format

HIGHBAND_EXPORT const void *GetPluginFactory() { return &highband::vst3_format::factory; }
#ifdef _WIN32
HIGHBAND_EXPORT bool InitDll() { return true; }
HIGHBAND_EXPORT bool ExitDll() { return true; }
#endif
HIGHBAND_EXPORT bool ModuleEntry(void *) { return true; }
HIGHBAND_EXPORT bool ModuleExit() { return true; }
HIGHBAND_EXPORT bool bundleEntry(void *) { return true; }
HIGHBAND_EXPORT bool bundleExit() { return true; }

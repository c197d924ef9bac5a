// The LV2 format; its ports are listed by ports.py in the same order, which writes the Turtle files.
#include "plugin.hpp"

#include "lv2/atom-util.h"
#include "lv2/atom.h"
#include "lv2/control-input-port-change-request.h"
#include "lv2/lv2.h"
#include "lv2/state.h"
#include "lv2/time.h"
#include "lv2/urid.h"

namespace highband::lv2_format {
namespace {

// After the audio ports: time, buffer, free-wheeling, latency, engine, enabled, panel, the knobs but for bypass, moves.
enum Port : uint32_t { kTime, kBuffer, kFreeWheeling, kLatencyOut, kEngineOut, kEnabled, kPanel, kFirstKnob };
constexpr uint32_t kMoves = kFirstKnob + kKnobCount - 1;

struct Uris {
    LV2_URID object, frame, speed, tempo, position, chunk, state, as_long, as_float, as_double, as_int;
    LV2_URID sequence, start, finalize, end, parameter, value;
};

// Ardour's own protocol, by which a plug-in turns its host's knobs; other hosts pass such an event over.
struct AutomationEvent {
    LV2_Atom_Event event;
    LV2_Atom_Object_Body object;
    LV2_Atom_Property_Body parameter;
    int32_t port, padding;
    LV2_Atom_Property_Body amount;
    float value, more_padding;
};
static_assert(sizeof(AutomationEvent) == 72);

double number(const Uris &uris, const LV2_Atom *atom) {
    if (!atom) return 0.0;
    const void *body = LV2_ATOM_BODY_CONST(atom);
    if (atom->type == uris.as_long && atom->size >= 8) return static_cast<double>(*static_cast<const int64_t *>(body));
    if (atom->type == uris.as_float && atom->size >= 4) return *static_cast<const float *>(body);
    if (atom->type == uris.as_double && atom->size >= 8) return *static_cast<const double *>(body);
    if (atom->type == uris.as_int && atom->size >= 4) return *static_cast<const int32_t *>(body);
    return 0.0;
}

class Lv2 {
  public:
    Lv2(double rate, uint32_t channels, const LV2_Feature *const *features) : rate_(rate), channels_(channels) {
        const LV2_URID_Map *map = nullptr;
        for (; features && *features; ++features) {
            if (std::strcmp((*features)->URI, LV2_URID__map) == 0)
                map = static_cast<const LV2_URID_Map *>((*features)->data);
            if (std::strcmp((*features)->URI, "http://ardour.org/lv2/midnam#update") == 0) plugin_.set_host("Ardour");
            if (std::strcmp((*features)->URI, LV2_CONTROL_INPUT_PORT_CHANGE_REQUEST_URI) == 0)
                request_ = static_cast<const LV2_ControlInputPort_Change_Request *>((*features)->data);
        }
        const auto id = [map](const char *uri) { return map ? map->map(map->handle, uri) : 0; };
        uris_ = {id(LV2_ATOM__Object), id(LV2_TIME__frame), id(LV2_TIME__speed), id(LV2_TIME__beatsPerMinute),
                 id(LV2_TIME__Position), id(LV2_ATOM__Chunk), id(kLv2State), id(LV2_ATOM__Long),
                 id(LV2_ATOM__Float), id(LV2_ATOM__Double), id(LV2_ATOM__Int), id(LV2_ATOM__Sequence),
                 id("http://ardour.org/lv2/automate#start"), id("http://ardour.org/lv2/automate#finalize"),
                 id("http://ardour.org/lv2/automate#end"), id("http://ardour.org/lv2/automate#parameter"),
                 id("http://ardour.org/lv2/automate#value")};
        for (uint32_t k = 0; k < kKnobCount; ++k) seen_[k] = kKnobs[k].initial;
        plugin_.activate(rate_, channels_);
    }

    void connect(uint32_t port, void *data) {
        if (port < 2 * channels_) audio_[port] = static_cast<float *>(data);
        else if (port - 2 * channels_ == kTime) time_ = static_cast<const LV2_Atom_Sequence *>(data);
        else if (port - 2 * channels_ == kMoves) moves_ = static_cast<LV2_Atom_Sequence *>(data);
        else if (port - 2 * channels_ < kMoves) controls_[port - 2 * channels_] = static_cast<float *>(data);
    }

    void activate() {
        plugin_.restart();
        clock_ = Clock();
    }

    void run(uint32_t count) {
        begin_moves();
        read_ports();
        if (count) {
            clock_.is_offline = controls_[kFreeWheeling] && *controls_[kFreeWheeling] > 0.0f;
            read_time();
            plugin_.begin(clock_);
            turn_changed();
            const float *in[kMostChannels] = {audio_[0], audio_[1]};
            float *out[kMostChannels] = {audio_[channels_], audio_[channels_ + 1]};
            plugin_.run(in, out, count);
            if (clock_.is_playing) clock_.sample += count;
            due_ = clock_.sample + (clock_.is_playing ? 0 : count);
            plugin_.turned([this](Move move, uint32_t k, double value) { request(move, k, value); });
        }
        if (controls_[kLatencyOut]) *controls_[kLatencyOut] = static_cast<float>(plugin_.latency());
        if (controls_[kEngineOut]) *controls_[kEngineOut] = static_cast<float>(plugin_.engine_state());
    }

    LV2_State_Status save(LV2_State_Store_Function store, LV2_State_Handle handle) {
        if (!uris_.state) return LV2_STATE_ERR_NO_FEATURE;
        const std::string bytes = plugin_.save();
        return store(handle, uris_.state, bytes.data(), bytes.size(), uris_.chunk,
                     LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE);
    }

    // The knobs are the host's own in this format, which sets their ports.
    LV2_State_Status restore(LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle) {
        size_t size = 0;
        uint32_t type = 0, flags = 0;
        const void *found = retrieve(handle, uris_.state, &size, &type, &flags);
        if (!found || type != uris_.chunk) return LV2_STATE_ERR_NO_PROPERTY;
        const bool is_good = plugin_.load(std::string(static_cast<const char *>(found), size), false);
        return is_good ? LV2_STATE_SUCCESS : LV2_STATE_ERR_UNKNOWN;
    }

  private:
    float *port_of(uint32_t knob) {
        if (knob == static_cast<uint32_t>(kBypass)) return controls_[kEnabled];
        return controls_[kFirstKnob + knob - (knob > static_cast<uint32_t>(kBypass))];
    }

    double read_knob(uint32_t knob) {
        const float *port = port_of(knob);
        if (!port) return seen_[knob];
        const double value = knob == static_cast<uint32_t>(kBypass) ? (*port > 0.0f ? 0.0 : 1.0) : *port;
        return allowed(kKnobs[knob], value);
    }

    // Before the first block the ports say where the knobs stand.
    void read_ports() {
        if (controls_[kBuffer]) plugin_.set_buffer(static_cast<uint32_t>(clamped(*controls_[kBuffer], 0.0, 2048.0)));
        const bool is_on = controls_[kPanel] && *controls_[kPanel] > 0.0f;
        // A session that was saved with it on is not to open a browser by itself.
        if (has_run_ && is_on != was_on_) plugin_.set_panel(is_on);
        was_on_ = is_on;
        if (has_run_) return;
        has_run_ = true;
        for (uint32_t k = 0; k < kKnobCount; ++k) plugin_.set_value(k, seen_[k] = read_knob(k));
    }

    void turn_changed() {
        for (uint32_t k = 0; k < kKnobCount; ++k) {
            const double value = read_knob(k);
            if (value == seen_[k]) continue;
            seen_[k] = value;
            plugin_.turn(0, k, value);
        }
    }

    void request(Move move, uint32_t knob, double value) {
        const bool is_bypass = knob == static_cast<uint32_t>(kBypass);
        const uint32_t place = is_bypass ? kEnabled : kFirstKnob + knob - (knob > static_cast<uint32_t>(kBypass));
        const uint32_t port = 2 * channels_ + place;
        const float wanted = static_cast<float>(is_bypass ? 1.0 - value : value);
        if (!request_) write_move(move == Move::kBegin ? uris_.start : move == Move::kEnd ? uris_.end : uris_.finalize, port, wanted);
        else if (move == Move::kValue) request_->request_change(request_->handle, port, wanted);
    }

    void begin_moves() {
        if (!moves_) return;
        // A host says here how much room there is.
        moves_room_ = moves_->atom.size;
        if (moves_room_ < sizeof moves_->body) return;
        moves_->atom = {sizeof moves_->body, uris_.sequence};
        moves_->body = {};
    }

    void write_move(LV2_URID kind, uint32_t port, float value) {
        constexpr uint32_t kSize = sizeof(AutomationEvent);
        if (!moves_ || !uris_.sequence || moves_room_ < moves_->atom.size + kSize) return;
        const AutomationEvent event = {{{0}, {kSize - sizeof(LV2_Atom_Event), uris_.object}}, {0, kind},
                                       {uris_.parameter, 0, {4, uris_.as_int}}, static_cast<int32_t>(port), 0,
                                       {uris_.value, 0, {4, uris_.as_float}}, value, 0};
        std::memcpy(reinterpret_cast<char *>(&moves_->body) + moves_->atom.size, &event, kSize);
        moves_->atom.size += kSize;
    }

    void read_time() {
        if (!time_ || !uris_.position) return;
        LV2_ATOM_SEQUENCE_FOREACH(time_, event) {
            if (event->body.type != uris_.object) continue;
            const auto *object = reinterpret_cast<const LV2_Atom_Object *>(&event->body);
            if (object->body.otype != uris_.position) continue;
            const LV2_Atom *frame = nullptr, *speed = nullptr, *tempo = nullptr;
            lv2_atom_object_get(object, uris_.frame, &frame, uris_.speed, &speed, uris_.tempo, &tempo, 0);
            if (speed) clock_.is_playing = number(uris_, speed) != 0.0;
            if (tempo) clock_.tempo = number(uris_, tempo);
            if (!frame) continue;
            clock_.has_sample = true;
            // The clock is that of the block's first sample.
            const int64_t passed = clock_.is_playing ? event->time.frames : 0;
            const int64_t sample = static_cast<int64_t>(number(uris_, frame)) - passed;
            // Ardour's pre-roll before the song moves on at "speed 0".
            if (sample < 0 && sample == due_) clock_.is_playing = true;
            clock_.sample = sample;
        }
    }

    Plugin plugin_;
    Clock clock_;
    Uris uris_{};
    double rate_;
    uint32_t channels_;
    const LV2_ControlInputPort_Change_Request *request_ = nullptr;
    const LV2_Atom_Sequence *time_ = nullptr;
    LV2_Atom_Sequence *moves_ = nullptr;
    uint32_t moves_room_ = 0;
    float *audio_[2 * kMostChannels + 1] = {};
    float *controls_[kFirstKnob + kMostKnobs] = {};
    double seen_[kMostKnobs];
    int64_t due_ = 0;  // Where the next block begins if the song moves on.
    bool has_run_ = false, was_on_ = false;
};

template <uint32_t kChannels>
LV2_Handle instantiate(const LV2_Descriptor *, double rate, const char *, const LV2_Feature *const *features) {
    return new Lv2(rate, kChannels, features);
}

LV2_State_Status save(LV2_Handle self, LV2_State_Store_Function store, LV2_State_Handle handle, uint32_t,
                      const LV2_Feature *const *) {
    return static_cast<Lv2 *>(self)->save(store, handle);
}

LV2_State_Status restore(LV2_Handle self, LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle, uint32_t,
                         const LV2_Feature *const *) {
    return static_cast<Lv2 *>(self)->restore(retrieve, handle);
}

const void *extension_data(const char *uri) {
    static const LV2_State_Interface state = {save, restore};
    return std::strcmp(uri, LV2_STATE__interface) == 0 ? &state : nullptr;
}

template <uint32_t kChannels> constexpr LV2_Descriptor descriptor(const char *uri) {
    return {uri,
            instantiate<kChannels>,
            [](LV2_Handle self, uint32_t port, void *data) { static_cast<Lv2 *>(self)->connect(port, data); },
            [](LV2_Handle self) { static_cast<Lv2 *>(self)->activate(); },
            [](LV2_Handle self, uint32_t count) { static_cast<Lv2 *>(self)->run(count); },
            [](LV2_Handle) {},
            [](LV2_Handle self) { delete static_cast<Lv2 *>(self); },
            extension_data};
}

}  // namespace
}  // namespace highband::lv2_format

HIGHBAND_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index) {
    static const LV2_Descriptor stereo = highband::lv2_format::descriptor<2>(highband::kLv2Uri);
    static const LV2_Descriptor mono = highband::lv2_format::descriptor<1>(highband::kLv2MonoUri);
    return index == 0 ? &stereo : index == 1 ? &mono : nullptr;
}

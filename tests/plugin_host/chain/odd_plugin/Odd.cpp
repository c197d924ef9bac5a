// A delay that declares itself as latency and changes with a knob. It is silent for blocks of more than 8192 samples.
// ODD_CRASH=load aborts where it is made, ODD_CRASH=play writes to nowhere after two seconds of sound.
#include "DistrhoPlugin.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

START_NAMESPACE_DISTRHO

static bool crashes(const char* when) {
    const char* wish = std::getenv("ODD_CRASH");
    return wish != nullptr && std::strcmp(wish, when) == 0;
}

class Odd : public Plugin {
    static constexpr uint32_t room = 4096, largest = 8192, healthy = 96000;
    std::vector<float> line[2];
    uint32_t delay = 0, place = 0, played = 0;

public:
    Odd() : Plugin(1, 0, 0) {
        for (auto& one : line) one.assign(room, 0.0f);
        if (crashes("load")) std::abort();
    }

protected:
    const char* getLabel() const override { return "Odd"; }
    const char* getMaker() const override { return "Highband tests"; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }
    int64_t getUniqueId() const override { return d_cconst('h', 'O', 'd', 'd'); }

    void initParameter(uint32_t, Parameter& parameter) override {
        parameter.hints = kParameterIsAutomatable;
        parameter.name = "Delay";
        parameter.symbol = "delay";
        parameter.ranges.min = parameter.ranges.def = 0.0f;
        parameter.ranges.max = 1024.0f;
    }

    float getParameterValue(uint32_t) const override { return static_cast<float>(delay); }

    void setParameterValue(uint32_t, float value) override {
        delay = static_cast<uint32_t>(std::lround(value));
        setLatency(delay);
    }

    void activate() override {
        for (auto& one : line) one.assign(room, 0.0f);
        place = played = 0;
    }

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        played += frames;
        if (crashes("play") && played > healthy) *static_cast<volatile int*>(nullptr) = 1;
        for (uint32_t i = 0; i < frames; ++i, place = (place + 1) % room)
            for (int channel = 0; channel < 2; ++channel) {
                line[channel][place] = inputs[channel][i];
                outputs[channel][i] = frames > largest ? 0.0f : line[channel][(place + room - delay) % room];
            }
    }

    DISTRHO_DECLARE_NON_COPYABLE(Odd)
};

Plugin* createPlugin() { return new Odd(); }

END_NAMESPACE_DISTRHO

// The hop between two processes of Windows: `play` is the plug-in's half, which starts `echo`, the engine's, and judges it.
//
// `load` opens a plug-in's library as a host does, and plays an impulse through it, dry as no engine runs.
//
// The echo gives half of what it takes, so that wet and dry can't be mistaken. Prints the figures; 0 if all hold.
#include <cmath>
#include <cstdio>
#include <thread>

#include "clap/entry.h"
#include "clap/plugin-factory.h"
#include "engine.hpp"
#include "hop.hpp"
#include "system_windows.cpp"

using namespace highband;

constexpr uint32_t kRate = 48000, kBlock = 256, kBlocks = 400;

static int echo(const char *path) {
    EngineEnd engine;
    std::string error;
    if (!engine.open(path, error)) return std::printf("%s\n", error.c_str()), 3;
    std::vector<float> block(2 * 2048);
    std::vector<Event> events(256);
    Taken taken;
    engine.attach(0);
    while (!engine.region()->plugin.closed) {
        engine.beat();
        if (!engine.take(block.data(), 2048, 2048, 50'000'000, taken, events.data(), 256)) continue;
        for (uint32_t c = 0; c < 2; ++c)
            for (uint32_t i = 0; i < taken.count; ++i) block[c * 2048 + i] *= 0.5f;
        engine.give(block.data(), 2048, taken.count);
    }
    return 0;
}

static float sample(uint64_t n) { return static_cast<float>(n * 7919 % 2001) / 1000.0f - 1.0f; }

// Play blocks and return how many of them came back whole at this gain; the others must be the dry signal.
static uint32_t play(Hop &hop, uint64_t &played, float gain, bool is_offline) {
    uint32_t whole = 0;
    std::vector<float> rows[2] = {std::vector<float>(kBlock), std::vector<float>(kBlock)};
    for (uint32_t n = 0; n < kBlocks; ++n) {
        float *at[] = {rows[0].data(), rows[1].data()};
        for (uint32_t i = 0; i < kBlock; ++i) rows[0][i] = sample(played + i), rows[1][i] = -rows[0][i];
        Clock clock;
        clock.is_offline = is_offline;
        hop.follow(clock);
        hop.process(at, at, kBlock, is_offline);
        bool is_whole = true;
        for (uint32_t i = 0; i < kBlock; ++i) {
            const uint64_t from = played + i - hop.latency();
            const float wanted = played + i < hop.latency() ? 0.0f : gain * sample(from);
            is_whole = is_whole && std::fabs(rows[0][i] - wanted) < 1e-6f && std::fabs(rows[1][i] + wanted) < 1e-6f;
        }
        whole += is_whole;
        played += kBlock;
        if (!is_offline) std::this_thread::sleep_for(std::chrono::microseconds(1'000'000ll * kBlock / kRate));
    }
    return whole;
}

static int judge(const char *own) {
    Hop hop;
    Constants wish{};
    std::string error;
    wish.channels = 2;
    wish.rate = kRate;
    if (!hop.open(wish, error)) return std::printf("%s\n", error.c_str()), 4;
    hop.set_latency(kBlock, 0);
    hop.announce();
    hop.restart();
    uint64_t played = 0;
    const uint32_t dry = play(hop, played, 1.0f, false);
    if (!start_process({own, "echo", hop.path()}, "")) return 5;
    // A bounce waits until everything has come back.
    hop.set_may_start(true);
    hop.restart();
    played = 0;
    const uint32_t wet = play(hop, played, 0.5f, true);
    const uint32_t live = play(hop, played, 0.5f, false);
    hop.change_buffer(0);
    std::vector<int64_t> waits;
    std::vector<float> row(kBlock);
    float *rows[] = {row.data(), row.data()};
    for (int n = 0; n < 1000; ++n) {
        const int64_t began = now_ns();
        hop.process(rows, rows, kBlock, true);
        waits.push_back((now_ns() - began) / 1000);
    }
    std::sort(waits.begin(), waits.end());
    hop.close();
    std::printf("dry %u wet %u live %u of %u, there and back p50 %d us, p99 %d us\n", dry, wet, live, kBlocks,
                static_cast<int>(waits[500]), static_cast<int>(waits[990]));
    return dry == kBlocks && wet == kBlocks ? 0 : 1;
}

static int load(const char *path) {
    HMODULE library = LoadLibraryA(path);
    if (!library || !GetProcAddress(library, "GetPluginFactory") || !GetProcAddress(library, "InitDll")) return 6;
    const auto *entry = reinterpret_cast<const clap_plugin_entry_t *>(GetProcAddress(library, "clap_entry"));
    if (!entry || !entry->init(path)) return 7;
    const auto *factory = static_cast<const clap_plugin_factory_t *>(entry->get_factory(CLAP_PLUGIN_FACTORY_ID));
    clap_host_t host{};
    host.clap_version = CLAP_VERSION;
    const clap_plugin_t *plugin = factory->create_plugin(factory, &host, factory->get_plugin_descriptor(factory, 0)->id);
    if (!plugin || !plugin->init(plugin) || !plugin->activate(plugin, kRate, 1, kBlock)) return 8;
    float rows[2][kBlock] = {}, *at[] = {rows[0], rows[1]};
    clap_audio_buffer_t buffer{at, nullptr, 2, 0, 0};
    clap_process_t data{};
    data.frames_count = kBlock;
    data.audio_inputs = data.audio_outputs = &buffer;
    data.audio_inputs_count = data.audio_outputs_count = 1;
    rows[0][10] = rows[1][10] = 1.0f;
    plugin->process(plugin, &data);
    const bool is_silent = rows[0][10] == 0.0f;
    plugin->process(plugin, &data);
    const bool has_come = is_silent && rows[0][10] == 1.0f && rows[1][10] == 1.0f;
    plugin->destroy(plugin);
    std::printf("%s\n", has_come ? "loaded" : "wrong");
    return has_come ? 0 : 9;
}

int main(int count, char **words) {
    if (count == 3 && std::string(words[1]) == "echo") return echo(words[2]);
    if (count == 3 && std::string(words[1]) == "load") return load(words[2]);
    return judge(words[0]);
}

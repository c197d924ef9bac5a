// What a session keeps of an instance: the knobs, the latency, and a text in which the engine writes what it plays.
//
// "HBPS", format, checksum of format and rest, length of the rest, then little-endian fields. A state of a newer format is kept as it
// is and given back; anything else that does not fit to the last byte is refused.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>

#include "region.hpp"

namespace highband {

constexpr uint32_t kStateFormat = 1;

struct State {
    std::map<uint32_t, double> knobs;  // By the hosts' ids.
    uint32_t buffer = 256, rate = 48000, chain_latency = 0;
    std::string text;   // JSON.
    std::string newer;  // A whole state that a newer version wrote.
};

inline uint32_t checksum(uint32_t format, const char *bytes, size_t count) {
    uint32_t crc = ~format;
    for (size_t i = 0; i < count; ++i) {
        crc ^= static_cast<uint8_t>(bytes[i]);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1u ? 0xedb88320u : 0u);
    }
    return ~crc;
}

template <class T> void put(std::string &bytes, T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
}

inline std::string write_state(const State &state) {
    if (!state.newer.empty()) return state.newer;
    std::string rest;
    put(rest, state.buffer);
    put(rest, state.rate);
    put(rest, state.chain_latency);
    put(rest, static_cast<uint32_t>(state.knobs.size()));
    for (const auto &[id, value] : state.knobs) {
        put(rest, id);
        put(rest, value);
    }
    put(rest, static_cast<uint32_t>(state.text.size()));
    rest += state.text;
    std::string bytes = "HBPS";
    put(bytes, kStateFormat);
    put(bytes, checksum(kStateFormat, rest.data(), rest.size()));
    put(bytes, static_cast<uint32_t>(rest.size()));
    return bytes + rest;
}

class StateReader {
  public:
    explicit StateReader(const std::string &bytes) : bytes_(bytes) {}

    bool read(State &state) {
        uint32_t format = 0, size = 0, crc = 0;
        if (bytes_.compare(0, 4, "HBPS") != 0) return false;
        at_ = 4;
        if (!get(format) || !get(crc) || !get(size) || size != bytes_.size() - at_) return false;
        if (format == 0 || crc != checksum(format, bytes_.data() + at_, size)) return false;
        State found;
        if (format > kStateFormat) {
            found.newer = bytes_;
        } else if (!fields(found)) {
            return false;
        }
        state = found;
        return true;
    }

  private:
    template <class T> bool get(T &value) {
        if (bytes_.size() - at_ < sizeof value) return false;
        std::memcpy(&value, bytes_.data() + at_, sizeof value);
        at_ += sizeof value;
        return true;
    }

    bool fields(State &state) {
        uint32_t count = 0, length = 0;
        if (!get(state.buffer) || !get(state.rate) || !get(state.chain_latency) || !get(count)) return false;
        if (count > kMostKnobs || state.buffer > kLargestSlice || state.chain_latency > kMostChainLatency) return false;
        for (uint32_t i = 0; i < count; ++i) {
            uint32_t id = 0;
            double value = 0.0;
            if (!get(id) || !get(value)) return false;
            state.knobs[id] = value;
        }
        if (!get(length) || length > kText || length != bytes_.size() - at_) return false;
        state.text = bytes_.substr(at_);
        return true;
    }

    const std::string &bytes_;
    size_t at_ = 0;
};

}  // namespace highband

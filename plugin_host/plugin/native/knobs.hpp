// The knobs as hosts want them: positions 0..1 and texts, by the rules of the table that they are generated from.
#pragma once

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace highband {

enum class Curve { kLinear, kLog, kSwitch };

struct Knob {
    uint32_t id;  // For hosts; made from the name, so that it stays when the table grows.
    const char *symbol, *name, *unit;
    double low, high, initial;
    Curve curve;
    bool is_automatic;
};

// The lowest positions of an automatic knob mean "auto".
constexpr double kAutoBelow = 0.01;

inline double clamped(double value, double low, double high) {
    return value < low ? low : value > high ? high : value == value ? value : low;
}

inline double to_value(const Knob &knob, double position) {
    position = clamped(position, 0.0, 1.0);
    if (knob.curve == Curve::kSwitch) return position >= 0.5 ? 1.0 : 0.0;
    if (knob.is_automatic) {
        if (position < kAutoBelow) return 0.0;
        position = (position - kAutoBelow) / (1.0 - kAutoBelow);
    }
    if (knob.curve == Curve::kLog) return clamped(knob.low * std::pow(knob.high / knob.low, position), knob.low, knob.high);
    // Hosts that hold positions as 32-bit numbers would make 7e-7 dB of 0 dB.
    const double value = knob.low + (knob.high - knob.low) * position;
    return clamped(std::round(value * 1e5) / 1e5, knob.low, knob.high);
}

inline double to_position(const Knob &knob, double value) {
    if (knob.is_automatic && value == 0.0) return 0.0;
    value = clamped(value, knob.low, knob.high);
    const double place = knob.curve == Curve::kLog ? std::log(value / knob.low) / std::log(knob.high / knob.low)
                                                   : (value - knob.low) / (knob.high - knob.low);
    return knob.is_automatic ? kAutoBelow + (1.0 - kAutoBelow) * place : place;
}

// The nearest value that the knob allows.
inline double allowed(const Knob &knob, double value) {
    if (!std::isfinite(value)) return knob.initial;
    if (knob.curve == Curve::kSwitch) return value >= 0.5 ? 1.0 : 0.0;
    if (knob.is_automatic && value < 0.5 * knob.low) return 0.0;
    return clamped(value, knob.low, knob.high);
}

inline std::string to_text(const Knob &knob, double value) {
    if (knob.is_automatic && value == 0.0) return "auto";
    if (knob.curve == Curve::kSwitch) return value != 0.0 ? "on" : "off";
    const std::string unit = knob.unit;
    const bool is_large = unit == "Hz" && value >= 1000.0;
    char text[64];
    std::snprintf(text, sizeof text, "%.6g", is_large ? value / 1000.0 : value);
    for (char *c = text; *c; ++c)
        if (*c == ',') *c = '.';  // In hosts that set a locale.
    return unit.empty() ? text : std::string(text) + (is_large ? " kHz" : " " + unit);
}

inline bool from_text(const Knob &knob, const std::string &text, double &value) {
    std::string word;
    for (char c : text)
        if (!std::isspace(static_cast<unsigned char>(c)))
            word += c == ',' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (knob.is_automatic && word == "auto") return value = 0.0, true;
    if (knob.curve == Curve::kSwitch && (word == "on" || word == "true" || word == "yes")) return value = 1.0, true;
    if (knob.curve == Curve::kSwitch && (word == "off" || word == "false" || word == "no")) return value = 0.0, true;
    if (!word.empty() && word[0] == '+') word.erase(0, 1);
    double number = 0.0;
    const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (fault != std::errc() || !std::isfinite(number)) return false;
    std::string unit = knob.unit, rest = word.substr(static_cast<size_t>(end - word.data()));
    for (char &c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!rest.empty() && rest != unit && rest != "khz") return false;
    const double found = rest == "khz" ? 1000.0 * number : number;
    if (allowed(knob, found) != found) return false;
    return value = found, true;
}

}  // namespace highband

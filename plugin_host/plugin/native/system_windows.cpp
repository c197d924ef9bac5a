// Windows: cross-built and tried under Wine against an engine of the tests; no DAW has loaded it.
#ifdef _WIN32

#include "system.hpp"

#include <cstdlib>
#include <cstring>

#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

namespace highband {

static std::wstring wide(const std::string &text) {
    const int count = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
    std::wstring found(static_cast<size_t>(count), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), found.data(), count);
    return found;
}

static std::string narrow(const wchar_t *text) {
    const int count = WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
    std::string found(static_cast<size_t>(count > 0 ? count : 1), '\0');
    WideCharToMultiByte(CP_UTF8, 0, text, -1, found.data(), count, nullptr, nullptr);
    found.pop_back();
    return found;
}

static std::string fault(const std::string &path, const char *what) {
    return path + " " + what + ": error " + std::to_string(GetLastError());
}

int64_t now_ns() {
    // One clock for all processes.
    static const int64_t frequency = [] {
        LARGE_INTEGER found;
        QueryPerformanceFrequency(&found);
        return found.QuadPart;
    }();
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return now.QuadPart / frequency * 1'000'000'000 + now.QuadPart % frequency * 1'000'000'000 / frequency;
}

uint32_t process_id() { return GetCurrentProcessId(); }

std::string library_path() {
    HMODULE own = nullptr;
    constexpr DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    wchar_t path[MAX_PATH] = {};
    if (!GetModuleHandleExW(flags, reinterpret_cast<LPCWSTR>(&process_id), &own)) return "";
    return GetModuleFileNameW(own, path, MAX_PATH) ? narrow(path) : "";
}

// Below the user's own local folder, which the system closes to other users.
std::string runtime_folder(std::string &error) {
    const wchar_t *local = _wgetenv(L"LOCALAPPDATA");
    if (!local || !*local) {
        error = "LOCALAPPDATA names no folder";
        return "";
    }
    const std::string path = narrow(local) + "\\highband";
    if (CreateDirectoryW(wide(path).c_str(), nullptr) || GetLastError() == ERROR_ALREADY_EXISTS) {
        const DWORD found = GetFileAttributesW(wide(path).c_str());
        const bool is_plain = found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY) &&
                              !(found & FILE_ATTRIBUTE_REPARSE_POINT);
        if (is_plain) return path;
    }
    error = fault(path, "can't be made");
    return "";
}

// The bells of a region are events of the session, named after its file.
static bool open_bells(Mapping &mapping, const std::string &path) {
    const std::string stem = path.substr(path.find_last_of("\\/") + 1);
    for (int bell = 0; bell < 2; ++bell) {
        const std::wstring name = wide("Local\\highband-" + stem + (bell == kInBell ? "-in" : "-out"));
        mapping.bells[bell] = CreateEventW(nullptr, FALSE, FALSE, name.c_str());
    }
    return mapping.bells[0] && mapping.bells[1];
}

static void *map_file(HANDLE file, size_t size) {
    HANDLE section = CreateFileMappingW(file, nullptr, PAGE_READWRITE, 0, static_cast<DWORD>(size), nullptr);
    if (!section) return nullptr;
    void *at = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size);
    CloseHandle(section);
    return at;
}

bool map_region(Mapping &mapping, const std::string &path, size_t size, bool create, std::string &error) {
    constexpr DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    constexpr DWORD flags = FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_OPEN_REPARSE_POINT;
    const DWORD how = create ? CREATE_NEW : OPEN_EXISTING;
    HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE, share, nullptr, how, flags, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        error = fault(path, "can't be opened");
        return false;
    }
    LARGE_INTEGER found{};
    const bool is_right = create || (GetFileSizeEx(file, &found) && found.QuadPart == static_cast<int64_t>(size));
    void *at = is_right ? map_file(file, size) : nullptr;
    CloseHandle(file);
    mapping.at = at;
    mapping.size = size;
    mapping.path = path;
    if (at && open_bells(mapping, path)) return true;
    error = path + " is not a region of this version";
    unmap_region(mapping, create);
    return false;
}

void unmap_region(Mapping &mapping, bool remove) {
    for (void *bell : mapping.bells)
        if (bell) CloseHandle(bell);
    if (mapping.at) UnmapViewOfFile(mapping.at);
    if (remove && !mapping.path.empty()) DeleteFileW(wide(mapping.path).c_str());
    mapping = Mapping();
}

void wait_bell(Mapping &mapping, Bell bell, std::atomic<uint32_t> &word, uint32_t seen, int64_t ns) {
    // A ring that came before is kept by the event, so none is missed between the look and the wait.
    if (word.load() != seen) return;
    WaitForSingleObject(mapping.bells[bell], static_cast<DWORD>((ns + 999'999) / 1'000'000));
}

void wake_bell(Mapping &mapping, Bell bell, std::atomic<uint32_t> &) { SetEvent(mapping.bells[bell]); }

bool is_server_running(const std::string &folder) {
    // The server keeps the file open for itself alone.
    HANDLE file = CreateFileW(wide(folder + "\\server.lock").c_str(), GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_SHARING_VIOLATION;
    CloseHandle(file);
    return false;
}

// A word as the C library of the other side takes it apart again.
static std::string quoted(const std::string &word) {
    std::string text = "\"";
    size_t slashes = 0;
    for (const char c : word) {
        if (c == '"') text.append(slashes + 1, '\\');
        slashes = c == '\\' ? slashes + 1 : 0;
        text += c;
    }
    return text.append(slashes, '\\') + "\"";
}

bool start_process(const std::vector<std::string> &words, const std::string &) {
    std::string line;
    for (const std::string &word : words) line += (line.empty() ? "" : " ") + quoted(word);
    std::wstring command = wide(line);
    STARTUPINFOW start{};
    start.cb = sizeof start;
    PROCESS_INFORMATION made{};
    constexpr DWORD flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP;
    if (!CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, flags, nullptr, nullptr, &start, &made))
        return false;
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return true;
}

}  // namespace highband

#endif
